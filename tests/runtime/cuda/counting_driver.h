// What a program asked of the driver, counted by a library that stands before the real one.
#pragma once

#include <cstddef>

namespace maskrt::testing {

struct DriverCounts {
  std::size_t allocations = 0;    ///< of device and page-locked memory
  std::size_t frees = 0;          ///< of these
  std::size_t objects = 0;        ///< modules loaded; streams, events and graphs made
  std::size_t kernels = 0;        ///< launched by themselves
  std::size_t graphs = 0;         ///< launched
  std::size_t graph_kernels = 0;  ///< in the graphs launched
  std::size_t largest_graph = 0;  ///< kernels of the largest graph made so far
  std::size_t kernel_edges = 0;   ///< of that graph: from kernel to kernel
  std::size_t early_edges = 0;    ///< of these: the second kernel may start before the first has ended
  std::size_t waits = 0;          ///< of the host for a stream or an event
};

/// What counting_driver.cpp exports as `counted_so_far`.
using CountedSoFar = DriverCounts (*)();

}  // namespace maskrt::testing
