#include "report.h"

#include <cstdio>

namespace maskrt::graph {

std::string rewrites_to_text(Graph graph, std::int64_t batch, std::int64_t height, std::int64_t width,
                             std::size_t element, const RewriteNames& off, const RewriteNames& wanted,
                             const FusedKernels& kernels) {
  std::string text = "rewrite             nodes     GFLOP        MB\n";
  const auto add_line = [&](std::string_view name) {
    const auto extents = infer_extents(graph, batch, height, width);
    Cost total;
    for (const auto& node : graph.nodes) {
      const auto cost = cost_of(graph, node, extents, element);
      total.flops += cost.flops;
      total.bytes += cost.bytes;
    }
    char line[96];
    std::snprintf(line, sizeof line, "%-18.*s %6zu %9.3f %9.2f\n", static_cast<int>(name.size()), name.data(),
                  graph.nodes.size(), total.flops * 1e-9, total.bytes * 1e-6);
    text += line;
  };
  graph.remove_dead_nodes();
  add_line("(plain)");
  for (const auto& step : rewrites()) {
    if (off.count(step.name) != 0 || (step.on_request && wanted.count(step.name) == 0)) continue;
    step.apply(graph, kernels);
    add_line(step.name);
  }
  return text;
}

}  // namespace maskrt::graph
