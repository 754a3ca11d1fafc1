// Activation maps in double precision, from the tensors that they are computed of.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include "maskrt/maskrt.hpp"

namespace maskrt::testing {

inline double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

/// [height, width] of map `m` of a [B, M, h, w] tensor's picture b.
inline std::vector<double> plane_of(const HostTensor& tensor, std::size_t b, std::size_t m) {
  const auto maps = static_cast<std::size_t>(tensor.shape[1]);
  const auto positions = static_cast<std::size_t>(tensor.shape[2] * tensor.shape[3]);
  const float* const from = &tensor.values[(b * maps + m) * positions];
  return {from, from + positions};
}

inline std::vector<double> softmax(std::vector<double> plane) {
  const double most = *std::max_element(plane.begin(), plane.end());
  double sum = 0;
  for (double& x : plane) sum += x = std::exp(x - most);
  for (double& x : plane) x /= sum;
  return plane;
}

/// The maps of a value: a sigmoid of each number, or a softmax over the positions.
inline std::vector<double> activated(std::vector<double> plane, bool over_positions) {
  if (over_positions) return softmax(std::move(plane));
  std::transform(plane.begin(), plane.end(), plane.begin(), sigmoid);
  return plane;
}

}  // namespace maskrt::testing
