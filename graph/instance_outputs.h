// The outputs that SparseInst's post-processing reads, and what it relies on.
#pragma once

#include <functional>

#include "graph.h"

namespace maskrt::graph {

/// Throws Error unless a network's outputs are what post-processing takes for granted when it addresses them, for a
/// batch of B and N queries:
///   class_logits       list [B, N, classes]
///   objectness_logits  list [B, N, 1]
///   mask_logits        map [B, h, w, N]
/// `output` gives the extent of an output by its name, or null where there is none. Channels are known when a model is
/// loaded; everything is checked again for each plan.
void check_instance_outputs(const std::function<const Extent*(const char* name)>& output);

}  // namespace maskrt::graph
