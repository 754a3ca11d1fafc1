// Which fused operations a device has kernels for: what rewrites on request make, and what they leave apart.
#pragma once

#include <cstddef>
#include <cstdint>

#include "graph.h"

namespace maskrt::graph {

/// The largest that a device's kernels take; a device without any leaves all as it is.
struct FusedKernels {
  std::int64_t stem_side = 0;        ///< StemPool: of the convolution's kernel; 0: no such kernel
  std::int64_t stem_channels = 0;    ///< StemPool: most channels of its input, which is the network's
  std::size_t pyramid_branches = 0;  ///< PyramidPool
  std::size_t linear_heads = 0;      ///< LinearHeads
  int residual_scale = 1;            ///< Conv: how much larger than the residual the output may be
};

/// Whether there is a kernel for the node; true of operations that are not fused ones.
bool has_kernel(const FusedKernels& kernels, const Graph& graph, const Node& node);

}  // namespace maskrt::graph
