#include "graph.h"

#include <algorithm>
#include <utility>

namespace maskrt::graph {

std::string_view name_of(const Operation& operation) {
  return std::visit([](const auto& op) -> std::string_view { return op.name; }, operation);
}

std::vector<ConstantPtr> constants_of(const Operation& operation) {
  struct Collector : AttributeVisitor {
    std::vector<ConstantPtr> found;
    void constant(const char*, const ConstantPtr& constant, bool) {
      if (constant) found.push_back(constant);
    }
  } collector;
  visit_attributes(operation, collector);
  return std::move(collector.found);
}

bool reads_numbers(const Node& node, std::size_t input) {
  return std::visit([&](const auto& op) { return op.reads(input, node.inputs.size()); }, node.operation) != Reads::size;
}

ValueId Graph::add(std::string name, Operation operation, std::vector<ValueId> inputs, std::string value) {
  const auto id = static_cast<ValueId>(values.size());
  values.push_back({value.empty() ? name : std::move(value)});
  nodes.push_back({std::move(name), std::move(operation), std::move(inputs), id});
  return id;
}

ValueId Graph::find(std::string_view value) const {
  const auto found = std::find_if(values.begin(), values.end(), [&](const Value& v) { return v.name == value; });
  return found == values.end() ? -1 : static_cast<ValueId>(found - values.begin());
}

int Graph::producer(ValueId value) const {
  const auto found = std::find_if(nodes.begin(), nodes.end(), [&](const Node& n) { return n.output == value; });
  return found == nodes.end() ? -1 : static_cast<int>(found - nodes.begin());
}

std::vector<int> Graph::consumers(ValueId value) const {
  std::vector<int> readers;
  for (std::size_t i = 0; i < nodes.size(); ++i)
    if (std::find(nodes[i].inputs.begin(), nodes[i].inputs.end(), value) != nodes[i].inputs.end())
      readers.push_back(static_cast<int>(i));
  return readers;
}

bool Graph::is_output(ValueId value) const { return std::find(outputs.begin(), outputs.end(), value) != outputs.end(); }

void Graph::remove_dead_nodes() {
  std::vector<bool> needed(values.size(), false);
  for (const auto output : outputs) needed[static_cast<std::size_t>(output)] = true;
  std::vector<Node> kept;
  for (auto node = nodes.rbegin(); node != nodes.rend(); ++node) {
    if (!needed[static_cast<std::size_t>(node->output)] && !std::holds_alternative<Input>(node->operation)) continue;
    for (const auto input : node->inputs) needed[static_cast<std::size_t>(input)] = true;
    kept.push_back(std::move(*node));
  }
  std::reverse(kept.begin(), kept.end());
  nodes = std::move(kept);
}

}  // namespace maskrt::graph
