// A convolution node of the graph as problems for oneDNN.
#pragma once

#include <optional>
#include <vector>

#include "graph/graph.h"
#include "kernels/conv/cpu/conv_cpu.h"

namespace maskrt::cpu {

/// True where oneDNN may use all instructions of that level.
bool has_isa(dnnl::cpu_isa isa);

/// Channels in a block of the blocked layout that suits this processor: 16, 8, or 0 for channels innermost.
std::int64_t native_block();

/// The numbers of a convolution node that its algorithms depend on. Blocks are `native_block()`, the input's where it
/// has few channels 1.
struct ConvNode {
  kernels::ConvGeometry geometry;
  graph::Extent in, out;
  bool bias = false, accumulate = false;
  kernels::Activation activation = kernels::Activation::none;  ///< of the epilogue; sigmoid comes as a step of its own

  ConvNode(const graph::Conv& op, const graph::Extent& in, const graph::Extent& out);

  /// One call for all groups.
  kernels::ConvProblem whole(DataType in_type, DataType out_type) const;
  /// A call for one group on its channels of the input, where these are whole blocks and the groups few. The output
  /// is the group's channels of a whole tensor where they are whole blocks too, and otherwise a tensor of its own.
  std::optional<kernels::ConvProblem> one_group(DataType in_type, DataType out_type) const;
  /// A call for half of the outputs of a convolution without groups, where each half is whole blocks.
  std::optional<kernels::ConvProblem> one_half(DataType in_type, DataType out_type) const;
  /// A call for every 128 channels of the input, the first with the bias, the last with the activation; none where the
  /// convolution is no wider, or none that Winograd computes. In which order oneDNN's Winograd wants its weights
  /// depends on the size of the map, but hardly for 128 channels: so split, a layer has one copy of its weights for all
  /// sizes.
  std::vector<kernels::ConvProblem> input_slices(DataType in_type, DataType out_type) const;
};

/// The block in which convolutions read a map of that many channels.
std::int64_t input_block(std::int64_t channels);

}  // namespace maskrt::cpu
