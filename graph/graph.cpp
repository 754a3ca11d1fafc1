#include "graph.h"

#include <algorithm>
#include <utility>

namespace maskrt::graph {

std::string_view name_of(const Operation& operation) {
  return std::visit([](const auto& op) -> std::string_view { return op.name; }, operation);
}

namespace {

struct ConstantCollector : AttributeVisitor {
  std::vector<ConstantPtr> found;
  void constant(const char*, const ConstantPtr& constant, bool, InFiles = InFiles::always) {
    if (constant) found.push_back(constant);
  }
  void parts(const char*, const auto& list, std::size_t, std::size_t, InFiles = InFiles::always) {
    for (const auto& part : list) part.visit_attributes(part, *this);
  }
};

}  // namespace

std::vector<ConstantPtr> constants_of(const Operation& operation) {
  ConstantCollector collector;
  visit_attributes(operation, collector);
  return std::move(collector.found);
}

std::size_t output_count(const Operation& operation) {
  return std::visit(
      []<Op Kind>(const Kind& op) -> std::size_t {
        if constexpr (MakesSeveral<Kind>) {
          return op.outputs();
        } else {
          return 1;
        }
      },
      operation);
}

ValueId Node::output() const {
  if (outputs.size() != 1) NodeCheck(*this).fail("expected one output, found " + std::to_string(outputs.size()));
  return outputs[0];
}

bool reads_numbers(const Node& node, std::size_t input) {
  return std::visit([&](const auto& op) { return op.reads(input, node.inputs.size()); }, node.operation) != Reads::size;
}

ValueId Graph::add(std::string name, Operation operation, std::vector<ValueId> inputs, std::string value) {
  if (value.empty()) value = name;
  return add_several(std::move(name), std::move(operation), std::move(inputs), {std::move(value)})[0];
}

std::vector<ValueId> Graph::add_several(std::string name, Operation operation, std::vector<ValueId> inputs,
                                        std::vector<std::string> names) {
  Node node{std::move(name), std::move(operation), std::move(inputs), {}};
  if (const std::size_t count = output_count(node.operation); names.size() != count)
    NodeCheck(node).fail("expected names for its " + std::to_string(count) + " outputs, found " +
                         std::to_string(names.size()));
  for (std::string& value : names) {
    node.outputs.push_back(static_cast<ValueId>(values.size()));
    values.push_back({std::move(value)});
  }
  nodes.push_back(std::move(node));
  return nodes.back().outputs;
}

ValueId Graph::find(std::string_view value) const {
  const auto found = std::find_if(values.begin(), values.end(), [&](const Value& v) { return v.name == value; });
  return found == values.end() ? -1 : static_cast<ValueId>(found - values.begin());
}

int Graph::producer(ValueId value) const {
  const auto found = std::find_if(nodes.begin(), nodes.end(), [&](const Node& node) {
    return std::find(node.outputs.begin(), node.outputs.end(), value) != node.outputs.end();
  });
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
    const bool live = std::any_of(node->outputs.begin(), node->outputs.end(),
                                  [&](ValueId value) { return needed[static_cast<std::size_t>(value)]; });
    if (!live && !std::holds_alternative<Input>(node->operation)) continue;
    for (const auto input : node->inputs) needed[static_cast<std::size_t>(input)] = true;
    kept.push_back(std::move(*node));
  }
  std::reverse(kept.begin(), kept.end());
  nodes = std::move(kept);
}

}  // namespace maskrt::graph
