// The last resize of the mask logits, which post-processing can do on its own way.
#pragma once

#include "graph/graph.h"

namespace maskrt::cuda {

/// Index of the node, or -1 where no resize by 2 makes the output "mask_logits".
int last_resize(const graph::Graph& graph);

}  // namespace maskrt::cuda
