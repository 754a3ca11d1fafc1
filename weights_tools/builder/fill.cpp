#include "fill.h"

#include <cmath>

namespace maskrt::weights {

UniformRange range_of(const Fill& fill, const Shape& shape) {
  if (fill.gain == 0) return {static_cast<float>(fill.offset), static_cast<float>(fill.scale)};
  double fan_in = 1;
  for (std::size_t i = 1; i < shape.size(); ++i) fan_in *= static_cast<double>(shape[i]);
  return {0, static_cast<float>(fill.gain * std::sqrt(3 / fan_in))};
}

Fill last_norm_fill(int blocks) {
  const double residual = 0.35 * std::sqrt(16.0 / blocks);
  return {.offset = residual, .scale = residual / 4};
}

}  // namespace maskrt::weights
