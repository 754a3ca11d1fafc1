// What the tests of layer norms try, on the CPU and on the GPU.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/element.h"
#include "kernels/norm/layer_norm.h"
#include "map_shape.h"

namespace maskrt::testing {

struct LayerNormCase {
  MapShape in;
  double epsilon = 1e-5;
  kernels::Activation activation = kernels::Activation::none;
  float mean = 0;  ///< numbers lie within 1 of it
};

inline std::ostream& operator<<(std::ostream& stream, const LayerNormCase& c) {
  return stream << c.in << ", epsilon " << c.epsilon << ", activation " << static_cast<int>(c.activation) << ", around "
                << c.mean;
}

/// Negative slope of leaky ReLU in these cases.
inline constexpr float kLayerNormSlope = 0.1f;

/// 1, primes, around blocks, vectors and warps; means that are large beside what the channels differ by; the channels
/// of PVTv2's stages.
inline const std::vector<LayerNormCase> layer_norm_cases = {
    {{1, 1, 1, 1}},
    {{2, 3, 5, 1}, 1e-5, kernels::Activation::none, 3},
    {{1, 1, 1, 16}},
    {{2, 3, 5, 7}, 1e-6, kernels::Activation::gelu},
    {{1, 8, 4, 8}, 0.1, kernels::Activation::relu},
    {{3, 11, 3, 9}, 1e-5, kernels::Activation::leaky_relu},
    {{1, 15, 17, 15}, 1e-5, kernels::Activation::sigmoid},
    {{3, 2, 16, 17}, 1e-5, kernels::Activation::none, 10},
    {{1, 31, 33, 31}, 1e-6},
    {{1, 6, 1, 33}, 1e-5, kernels::Activation::sigmoid, -1},
    {{2, 20, 27, 32}, 1e-6, kernels::Activation::none, -50},
    {{1, 13, 11, 100}, 1e-5, kernels::Activation::gelu},
    {{1, 7, 9, 64}, 1e-6, kernels::Activation::gelu, 2},
    {{1, 5, 7, 128}, 1e-6},
    {{1, 100, 1, 256}, 1e-5},
    {{2, 1, 9, 255}, 1e-5},
    {{1, 2, 3, 257}, 1e-5, kernels::Activation::none, 100},
    {{1, 4, 5, 320}, 1e-6},
    {{1, 3, 4, 512}, 1e-6, kernels::Activation::gelu},
    {{1, 1, 2, 2049}, 1e-5},
};

/// The largest error of an output at a position of `in`, whose weight and bias are within [-1, 1], of a kernel that
/// sums in fp32: the mean's error and that of each difference, divided by the deviation, and what the rest rounds.
/// GELU's slope is 1.13 at most; activations round a few times themselves.
inline double layer_norm_error(const LayerNormCase& c, const kernels::Tensor& in, std::int64_t b, std::int64_t y,
                               std::int64_t x, std::int64_t channel) {
  constexpr double unit = 0x1p-24;
  const auto value = [&](std::int64_t i) { return static_cast<double>(kernels::get(in, b, y, x, i)); };
  const auto n = static_cast<double>(in.channels);
  double mean = 0, squares = 0, largest = 0;
  for (std::int64_t i = 0; i < in.channels; ++i) {
    mean += value(i) / n;
    largest = std::max(largest, std::abs(value(i)));
  }
  for (std::int64_t i = 0; i < in.channels; ++i) squares += (value(i) - mean) * (value(i) - mean);
  const double deviation = std::sqrt(squares / n + c.epsilon);
  const double of_mean = in.channels == 1 ? 0 : unit * (3 + std::sqrt(n)) * largest;
  const double normal = std::abs(value(channel) - mean) / deviation;
  // The deviation is off by the mean's error as well, at most in proportion.
  const double of_normal = of_mean / deviation * (1 + normal) + unit * (6 + std::sqrt(n)) * normal;
  return 1.13 * of_normal + 8 * unit * (normal + 1);
}

}  // namespace maskrt::testing
