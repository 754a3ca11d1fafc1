#include <cmath>
#include <vector>

#include "group_norm.h"
#include "kernels/element.h"

namespace maskrt::kernels {

void group_norm_ref(const Tensor& in, const float* weight, const float* bias, int groups, double epsilon,
                    Activation activation, const Tensor& out, float slope) {
  struct Statistics {
    double sum = 0, mean = 0, squares = 0;
  };
  std::vector<Statistics> all(static_cast<std::size_t>(in.batch * groups));
  const std::int64_t channels = in.channels / groups;
  const auto count = static_cast<double>(in.height * in.width * channels);
  const auto of = [&](std::int64_t b, std::int64_t c) -> Statistics& {
    return all[static_cast<std::size_t>(b * groups + c / channels)];
  };
  const auto value = [&](std::int64_t b, std::int64_t y, std::int64_t x, std::int64_t c) {
    return static_cast<double>(get(in, b, y, x, c));
  };
  for_each_element(in, [&](auto b, auto y, auto x, auto c) { of(b, c).sum += value(b, y, x, c); });
  for (Statistics& one : all) one.mean = one.sum / count;
  for_each_element(in, [&](auto b, auto y, auto x, auto c) {
    const double distance = value(b, y, x, c) - of(b, c).mean;
    of(b, c).squares += distance * distance;
  });
  for_each_element(out, [&](auto b, auto y, auto x, auto c) {
    const double deviation = std::sqrt(of(b, c).squares / count + epsilon);
    const double normal = (value(b, y, x, c) - of(b, c).mean) / deviation;
    const double shifted = normal * static_cast<double>(weight[c]) + static_cast<double>(bias[c]);
    set(out, b, y, x, c, activate(activation, static_cast<float>(shifted), slope));
  });
}

}  // namespace maskrt::kernels
