#include "kernels/element.h"
#include "linear.h"

namespace maskrt::kernels {

void linear_ref(const Tensor& in, const float* weight, const float* bias, Activation activation, const Tensor& out) {
  for_each_element(out, [&](std::int64_t b, std::int64_t n, std::int64_t x, std::int64_t o) {
    double sum = bias != nullptr ? bias[o] : 0.0;
    for (std::int64_t i = 0; i < in.channels; ++i)
      sum += static_cast<double>(get(in, b, n, x, i)) * weight[o * in.channels + i];
    set(out, b, n, x, o, activate(activation, static_cast<float>(sum)));
  });
}

}  // namespace maskrt::kernels
