// Which convolutions compute in bf16 and how each value is stored, so that the whole costs least.
#pragma once

#include <vector>

#include "conv_chooser.h"
#include "graph/graph.h"
#include "runtime/precision_plan.h"

namespace maskrt::cpu {

/// All fp32.
PrecisionPlan fp32_plan(const graph::Graph& graph);

/// A network in bf16: starts from all convolutions in bf16 and from all in fp32, lets each in turn change its mind
/// while the sum of convolution times (measured, Winograd included) and of conversions between types (bytes) falls, and
/// takes the cheaper end. Everything but convolutions, max pools, sums and activations is fp32, and so are the
/// network's outputs.
PrecisionPlan bf16_plan(const graph::Graph& graph, const std::vector<graph::Extent>& extents, ConvChooser& chooser,
                        int threads);

}  // namespace maskrt::cpu
