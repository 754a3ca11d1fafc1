// What an epilogue applies to each element.
#pragma once

#include <cmath>
#include <cstdint>

namespace maskrt::kernels {

enum class Activation : std::uint8_t { none, relu, sigmoid };

inline float activate(Activation activation, float value) {
  switch (activation) {
    case Activation::relu:
      return value > 0 ? value : 0.0f;
    case Activation::sigmoid:
      return 1.0f / (1.0f + std::exp(-value));
    case Activation::none:
      break;
  }
  return value;
}

}  // namespace maskrt::kernels
