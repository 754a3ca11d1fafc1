#include "precision_plan.h"

namespace maskrt::cuda {

PrecisionPlan uniform_plan(const graph::Graph& graph, const std::vector<graph::Extent>& extents, Precision precision) {
  PrecisionPlan plan;
  for (const graph::Extent& extent : extents) plan.value.push_back(extent.list ? DataType::f32 : stored_in(precision));
  plan.node.assign(graph.nodes.size(), precision);
  return plan;
}

}  // namespace maskrt::cuda
