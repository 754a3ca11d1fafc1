#include <string>

#include "driver/engine/graph.h"

namespace vgpu::engine {
namespace {

std::string quoted(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

/// The nodes and edges of one graph; children become clusters.
void print(const Graph& graph, bool verbose, const std::string& indent, std::string& text) {
  for (const Node* node : graph.nodes()) {
    const std::string name = "n" + std::to_string(node->id());
    std::string label = name_of(node->kind());
    if (verbose && !node->work().name.empty()) label += "\\n" + quoted(node->work().name);
    text += indent + name + " [label=\"" + label + "\"];\n";
    if (node->child() == nullptr) continue;
    text += indent + "subgraph cluster_" + name + " {\n";
    print(*node->child(), verbose, indent + "  ", text);
    text += indent + "}\n";
  }
  for (const Graph::Edge& edge : graph.edges()) {
    text += indent + "n" + std::to_string(edge.from->id()) + " -> n" + std::to_string(edge.to->id()) +
            (edge.data.type == 1 ? " [style=dashed]" : "") + ";\n";
  }
}

}  // namespace

std::string Graph::dot(bool verbose) const {
  std::string text = "digraph graph_ {\n";
  print(*this, verbose, "  ", text);
  return text + "}\n";
}

}  // namespace vgpu::engine
