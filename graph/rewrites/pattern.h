// What the rewrites share: how they look at a graph, and how they combine constants without computing anything yet.
#pragma once

#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "graph/graph.h"

namespace maskrt::graph {

/// Index of the one node that reads a value, and reads it once; -1 otherwise, and where the value is an output: only a
/// value with an only reader may disappear into that reader.
int only_reader(const Graph& graph, ValueId value);

/// The operation that makes a value if it is of that kind, or null.
template <typename Kind>
Kind* maker_as(Graph& graph, ValueId value) {
  const int node = graph.producer(value);
  return node < 0 ? nullptr : std::get_if<Kind>(&graph.nodes[static_cast<std::size_t>(node)].operation);
}

/// True for a 1x1 convolution that sees each pixel by itself: stride 1, no padding, one group, no coordinate term.
bool is_pointwise(const Conv& conv);

/// Puts a node before nodes[index]; its value gets `name`, with primes where that is taken. The value made.
ValueId insert_node(Graph& graph, std::size_t index, const std::string& name, Operation operation,
                    std::vector<ValueId> inputs);

void erase_node(Graph& graph, int index);

/// Extents at 1 x 640 x 640, for rewrites that must know which way is cheaper: what they choose is exact at every size,
/// and the better choice at the sizes that are used. Empty where the network does not take that size.
std::vector<Extent> typical_extents(const Graph& graph);

/// A constant that compute(numbers of each in `from`) gives when somebody asks; a null constant is an empty vector.
/// Throws Error where constants would lie deeper inside one another than any network makes them: each level is a stack
/// frame, and a file must not be able to ask for thousands.
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
