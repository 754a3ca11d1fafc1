#include <cmath>

#include "kernels/element.h"
#include "layer_norm.h"

namespace maskrt::kernels {

void layer_norm_ref(const Tensor& in, const float* weight, const float* bias, double epsilon, Activation activation,
                    const Tensor& out, float slope) {
  const auto channels = static_cast<double>(in.channels);
  // Of the position that comes next: for_each_element has channels innermost.
  double mean = 0, deviation = 0;
  for_each_element(out, [&](std::int64_t b, std::int64_t y, std::int64_t x, std::int64_t c) {
    const auto value = [&](std::int64_t i) { return static_cast<double>(get(in, b, y, x, i)); };
    if (c == 0) {
      double sum = 0, squares = 0;
      for (std::int64_t i = 0; i < in.channels; ++i) sum += value(i);
      mean = sum / channels;
      for (std::int64_t i = 0; i < in.channels; ++i) squares += (value(i) - mean) * (value(i) - mean);
      deviation = std::sqrt(squares / channels + epsilon);
    }
    const double normal = (value(c) - mean) / deviation;
    const double shifted = normal * static_cast<double>(weight[c]) + static_cast<double>(bias[c]);
    set(out, b, y, x, c, activate(activation, static_cast<float>(shifted), slope));
  });
}

}  // namespace maskrt::kernels
