#include <cmath>

#include "deform_conv.h"
#include "kernels/element.h"

namespace maskrt::kernels {
namespace {

/// The map at a point between pixels, 0 beyond it.
double sample(const Tensor& in, std::int64_t b, double y, double x, std::int64_t c) {
  const auto height = static_cast<double>(in.height), width = static_cast<double>(in.width);
  if (!(y > -1 && y < height && x > -1 && x < width)) return 0;
  const double top = std::floor(y), left = std::floor(x), fy = y - top, fx = x - left;
  const auto at = [&](double row, double column) {
    const bool inside = row >= 0 && row < height && column >= 0 && column < width;
    return inside
               ? static_cast<double>(get(in, b, static_cast<std::int64_t>(row), static_cast<std::int64_t>(column), c))
               : 0.0;
  };
  return (at(top, left) * (1 - fx) + at(top, left + 1) * fx) * (1 - fy) +
         (at(top + 1, left) * (1 - fx) + at(top + 1, left + 1) * fx) * fy;
}

}  // namespace

void deform_conv_ref(const DeformGeometry& geometry, const Tensor& in, const Tensor& offsets, const float* weight,
                     const float* bias, Activation activation, const Tensor& out, float slope) {
  const ConvGeometry& g = geometry.conv;
  const std::int64_t group_in = in.channels / g.groups, group_out = out.channels / g.groups, taps = geometry.taps(),
                     part = in.channels / geometry.offset_groups;
  for_each_element(out, [&](std::int64_t b, std::int64_t y, std::int64_t x, std::int64_t o) {
    const std::int64_t first = o / group_out * group_in;
    double sum = bias != nullptr ? static_cast<double>(bias[o]) : 0.0;
    for (std::int64_t i = 0; i < group_in; ++i) {
      for (std::int64_t t = 0; t < taps; ++t) {
        const std::int64_t d = (first + i) / part, channel = 2 * taps * d + 2 * t;
        const auto row = static_cast<double>(y * g.stride - g.padding + t / g.kernel_width * g.dilation),
                   column = static_cast<double>(x * g.stride - g.padding + t % g.kernel_width * g.dilation);
        double sampled = sample(in, b, row + static_cast<double>(get(offsets, b, y, x, channel)),
                                column + static_cast<double>(get(offsets, b, y, x, channel + 1)), first + i);
        if (geometry.modulated)
          sampled /=
              1 +
              std::exp(-static_cast<double>(get(offsets, b, y, x, 2 * taps * geometry.offset_groups + taps * d + t)));
        sum += sampled * static_cast<double>(weight[(o * group_in + i) * taps + t]);
      }
    }
    set(out, b, y, x, o, activate(activation, static_cast<float>(sum), slope));
  });
}

}  // namespace maskrt::kernels
