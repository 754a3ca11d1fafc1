// A graph as a table that people read.
#pragma once

#include <string>
#include <vector>

#include "graph.h"

namespace maskrt::graph {

/// One line a node, in execution order: its name ("name = value" where its value is called otherwise, * after
/// the network's outputs), the operation with its attributes, and the values it reads (in parentheses where only their
/// size is read). With `extents` (from infer_extents, of this graph) also the output's shape
/// [batch, height, width, channels], or [batch, rows, numbers] of a list, GFLOP (2 per multiply-add) and the MB (10^6
/// bytes) of inputs, constants and output at `element` bytes a number; and a last line with the totals.
std::string to_text(const Graph& graph, const std::vector<Extent>& extents = {}, std::size_t element = 4);

/// "conv 3x3/2 256 -> 512, pad 1, residual, relu": one operation with the attributes that say something.
std::string to_text(const Operation& operation);

}  // namespace maskrt::graph
