// The fused operations that a device has kernels for, and their limits: what the rewrites on request may fuse.
#pragma once

#include <cstddef>
#include <cstdint>

#include "graph.h"

namespace maskrt::graph {

/// Limits of a device's kernels. The defaults are a device without any: nothing is fused. Of activations, the fused
/// operations' kernels have ReLU and the logistic function.
struct FusedKernels {
  std::int64_t stem_side = 0;        ///< StemPool: side of the convolution's kernel; 0: not supported
  std::int64_t stem_channels = 0;    ///< StemPool: most input channels
  std::size_t pyramid_branches = 0;  ///< PyramidPool: most branches; 0: not supported
  std::size_t linear_heads = 0;      ///< LinearHeads: most heads; 0: not supported
  bool pooled_conv = false;          ///< PooledConv
  bool logits_bias = false;          ///< AggregateLogits::bias
  int residual_scale = 1;            ///< Conv: largest upsampling factor of the residual
};

/// Whether there is a kernel for the node; true of operations that are not fused ones, but for linear layers on maps,
/// which every device computes as convolutions.
bool has_kernel(const FusedKernels& kernels, const Graph& graph, const Node& node);

}  // namespace maskrt::graph
