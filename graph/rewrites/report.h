// What the rewrites are worth, step by step.
#pragma once

#include <string>

#include "graph/graph.h"

namespace maskrt::graph {

/// A table of the plain graph and of the graph after each rewrite that always runs, in turn: nodes, GFLOP (2 per
/// multiply-add) and MB (10^6 bytes of inputs, constants and outputs at `element` bytes a number), for inputs of that
/// size. Throws Error where the graph does not take the size.
std::string rewrites_to_text(Graph graph, std::int64_t batch, std::int64_t height, std::int64_t width,
                             std::size_t element = 4);

}  // namespace maskrt::graph
