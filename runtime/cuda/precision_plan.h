// What a GPU stores values in and what its kernels compute in.
#pragma once

#include "graph/graph.h"
#include "runtime/precision_plan.h"

namespace maskrt::cuda {

/// One precision for the whole network: its maps are stored in it, lists of vectors in fp32, and so are offsets of
/// deformable convolutions, which their kernels add to positions in fp32, where a convolution makes them, whose kernels
/// store fp32 as well. Lists that a map's queries meet as keys and values, which attention rounds in any case, are
/// stored in it. In fp32 are also sums of logits and their bias that are made for callers alone: rounding them would
/// undo what storing the logits without it gains.
PrecisionPlan uniform_plan(const graph::Graph& graph, const std::vector<graph::Extent>& extents, Precision precision);

}  // namespace maskrt::cuda
