// Activation functions.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

namespace maskrt::kernels {

enum class Activation : std::uint8_t { none, relu, sigmoid, leaky_relu, gelu };

/// Whether it is one of those that every kernel with an activation has.
constexpr bool is_short(Activation activation) {
  return activation == Activation::none || activation == Activation::relu || activation == Activation::sigmoid;
}

/// The activation of one value; `slope` is the negative slope of leaky ReLU. GELU is value * Phi(value), Phi being the
/// standard normal distribution, not its approximation by tanh.
inline float activate(Activation activation, float value, float slope = 0) {
  switch (activation) {
    case Activation::relu:
      return value > 0 ? value : 0.0f;
    case Activation::sigmoid:
      return 1.0f / (1.0f + std::exp(-value));
    case Activation::leaky_relu:
      return value > 0 ? value : value * slope;
    case Activation::gelu:
      // In double: a unit in the last place of its argument is many of erfc's where that is small.
      return static_cast<float>(0.5 * double{value} * std::erfc(-double{value} * (std::numbers::sqrt2 / 2)));
    case Activation::none:
      break;
  }
  return value;
}

}  // namespace maskrt::kernels
