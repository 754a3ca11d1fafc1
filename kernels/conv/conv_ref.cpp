#include "conv.h"
#include "kernels/coordinate.h"
#include "kernels/element.h"

namespace maskrt::kernels {

void conv_ref(const ConvGeometry& g, const Tensor& in, const float* weight, const float* bias,
              const float* coordinate_weight, const Tensor* residual, Activation activation, const Tensor& out,
              float slope) {
  const std::int64_t group_in = in.channels / g.groups, group_out = out.channels / g.groups;
  const std::int64_t taps = std::int64_t{g.kernel_height} * g.kernel_width;
  for_each_element(out, [&](std::int64_t b, std::int64_t y, std::int64_t x, std::int64_t o) {
    const std::int64_t first = o / group_out * group_in;
    double sum = bias != nullptr ? bias[o] : 0.0;
    for (int ky = 0; ky < g.kernel_height; ++ky) {
      for (int kx = 0; kx < g.kernel_width; ++kx) {
        const std::int64_t row = y * g.stride - g.padding + ky * g.dilation;
        const std::int64_t column = x * g.stride - g.padding + kx * g.dilation;
        if (row < 0 || row >= in.height || column < 0 || column >= in.width) continue;
        const std::int64_t tap = ky * g.kernel_width + kx;
        for (std::int64_t i = 0; i < group_in; ++i)
          sum += static_cast<double>(get(in, b, row, column, first + i)) * weight[(o * group_in + i) * taps + tap];
        if (coordinate_weight != nullptr) {
          sum += coordinate(column, in.width) * coordinate_weight[(o * 2) * taps + tap];
          sum += coordinate(row, in.height) * coordinate_weight[(o * 2 + 1) * taps + tap];
        }
      }
    }
    if (residual != nullptr) sum += get(*residual, b, y, x, o);
    set(out, b, y, x, o, activate(activation, static_cast<float>(sum), slope));
  });
}

}  // namespace maskrt::kernels
