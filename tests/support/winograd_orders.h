// How many copies of a wide Winograd layer's weights maps of several sizes need on this processor. oneDNN lays the
// weights out by the number of tiles and the size of the caches; maskrt splits wide layers so that this is one order on
// most processors, but some with large caches of the second level have two.
#pragma once

#include <omp.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/conv/cpu/conv_cpu.h"

namespace maskrt::testing {

struct MapSize {
  std::int64_t batch, height, width;
};

/// Layouts of the weights from 128 to `out` channels, each once, for maps of these sizes on `threads` threads.
inline std::vector<dnnl::memory::desc> winograd_orders(std::int64_t out, const std::vector<MapSize>& sizes,
                                                       int threads) {
  const int before = omp_get_max_threads();
  omp_set_num_threads(threads);
  std::vector<dnnl::memory::desc> orders;
  for (const MapSize& size : sizes) {
    kernels::ConvProblem problem;
    problem.geometry = {3, 3, 1, 1, 1, 1};
    problem.in = kernels::dense(nullptr, DataType::f32, size.batch, size.height, size.width, 128, 16);
    problem.out = kernels::dense(nullptr, DataType::f32, size.batch, size.height, size.width, out, 16);
    const auto convolution = kernels::Convolution::make(problem, kernels::ConvAlgorithm::winograd);
    if (convolution == nullptr) continue;
    const dnnl::memory::desc& order = convolution->weight_layout();
    if (std::find(orders.begin(), orders.end(), order) == orders.end()) orders.push_back(order);
  }
  omp_set_num_threads(before);
  return orders;
}

}  // namespace maskrt::testing
