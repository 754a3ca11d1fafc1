// Shared by the rewrites: pattern matching on a graph, and lazy combination of constants.
#pragma once

#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "graph/graph.h"

namespace maskrt::graph {

/// Index of the only node that reads a value, if it reads it once; else, and where the value is an output, -1. Only a
/// value with a single reader may be fused into that reader.
int only_reader(const Graph& graph, ValueId value);

/// The operation that produces a value if it is of that kind, or null. One of several outputs may be any of them:
/// Node::outputs tells which.
template <typename Kind>
Kind* maker_as(Graph& graph, ValueId value) {
  const int node = graph.producer(value);
  return node < 0 ? nullptr : std::get_if<Kind>(&graph.nodes[static_cast<std::size_t>(node)].operation);
}

/// Whether it is a pointwise convolution: 1x1, stride 1, no padding, one group, no coordinate term.
bool is_pointwise(const Conv& conv);

/// Whether it filters each channel by itself.
bool is_depthwise(const Conv& conv);

/// The operation that adds a bias to a map's channels and does nothing else.
BatchNorm bias_alone(const ConstantPtr& bias);

/// Inserts a node before nodes[index] and returns its value, which is called `name`, with primes appended where that
/// name is taken.
ValueId insert_node(Graph& graph, std::size_t index, const std::string& name, Operation operation,
                    std::vector<ValueId> inputs);

void erase_node(Graph& graph, int index);

/// Extents at 1 x 640 x 640, for rewrites that compare costs: either choice is exact at every size, and the cheaper one
/// at 640 x 640 is the cheaper one at the sizes in use. Empty where the network does not accept that size.
std::vector<Extent> typical_extents(const Graph& graph);

/// A lazy constant: compute(numbers of each constant in `from`) runs when its numbers are needed; a null constant is
/// passed as an empty vector. Throws Error where constants would be nested deeper than in any real network: each level
/// is a stack frame, and a file must not be able to cause thousands.
using Numbers = std::vector<float>;
ConstantPtr derive(std::string name, Shape shape, std::vector<ConstantPtr> from,
                   std::function<Numbers(const std::vector<Numbers>&)> compute);

/// weight[:, begin .. begin + count - 1]
ConstantPtr slice_inputs(const ConstantPtr& weight, std::int64_t begin, std::int64_t count);

/// left [rows, inner] x right [inner, columns] + add, in double precision, rounded once; `add` [rows, columns] may be
/// empty.
Numbers matrix_product(const Numbers& left, const Numbers& right, std::size_t rows, std::size_t inner,
                       std::size_t columns, const Numbers& add = {});

}  // namespace maskrt::graph
