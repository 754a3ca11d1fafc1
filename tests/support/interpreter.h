// The plainest possible evaluation of a graph, in double precision: what every rewrite, kernel and device is judged by.
#pragma once

#include <map>
#include <vector>

#include "graph/graph.h"

namespace maskrt::testing {

/// A value's numbers, dense: ((b * height + y) * width + x) * channels + c, whatever any device does.
struct Map {
  graph::Extent extent;
  std::vector<double> data;

  std::size_t index(std::int64_t b, std::int64_t y, std::int64_t x, std::int64_t c) const {
    return static_cast<std::size_t>(((b * extent.height + y) * extent.width + x) * extent.channels + c);
  }
  double operator()(std::int64_t b, std::int64_t y, std::int64_t x, std::int64_t c) const {
    return data[index(b, y, x, c)];
  }
  double& operator()(std::int64_t b, std::int64_t y, std::int64_t x, std::int64_t c) { return data[index(b, y, x, c)]; }
};

/// A map of zeros.
Map zeros(const graph::Extent& extent);

/// One node's outputs, in its order. `values` and `extents` are indexed by ValueId: the former hold at least the node's
/// inputs, the latter its outputs. Constants are as Constant::evaluate gives them, so fp32. Throws Error where the
/// graph breaks its rules.
std::vector<Map> interpret_node(const graph::Node& node, const std::vector<Map>& values,
                                const std::vector<graph::Extent>& extents);

/// Every value of the graph, by ValueId; values that no node makes stay empty. Those that are `given`, the positions of
/// queries for one, take the place of what their nodes make. Throws Error where such a value has another extent.
std::vector<Map> interpret(const graph::Graph& graph, const Map& input,
                           const std::map<graph::ValueId, Map>& given = {});

/// fp32 NCHW (lists: [B, N, C]) as files and devices exchange it, and back.
std::vector<float> to_nchw(const Map& map);
Map from_nchw(const graph::Extent& extent, const std::vector<float>& numbers);

}  // namespace maskrt::testing
