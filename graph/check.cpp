// The rules of a graph that hold at every size: who may read what, and which constants and attributes make sense.
#include <set>
#include <string>

#include "attributes.h"
#include "graph.h"

namespace maskrt::graph {
namespace {

void check_output_count(const Node& checked) {
  const NodeCheck node(checked);
  const std::size_t count = output_count(checked.operation);
  if (count < 1 || count > limits::kOutputs)
    node.fail("expected from 1 to " + std::to_string(limits::kOutputs) + " outputs, found " + std::to_string(count));
  if (checked.outputs.size() != count)
    node.fail("expected " + std::to_string(count) + (count == 1 ? " output" : " outputs") + ", found " +
              std::to_string(checked.outputs.size()));
}

}  // namespace

void check(const Graph& graph) {
  if (graph.nodes.empty() || !std::holds_alternative<Input>(graph.nodes[0].operation))
    throw Error("expected a graph whose first node is its input, found " +
                (graph.nodes.empty() ? "no node" : std::string(name_of(graph.nodes[0].operation))));
  if (graph.nodes.size() > static_cast<std::size_t>(limits::kNodes))
    throw Error("expected a graph of at most " + std::to_string(limits::kNodes) + " nodes, found " +
                std::to_string(graph.nodes.size()));
  const auto known = [&](ValueId id) { return id >= 0 && static_cast<std::size_t>(id) < graph.values.size(); };
  std::vector<bool> made(graph.values.size(), false);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& checked = graph.nodes[i];
    const NodeCheck node(checked);
    if (i != 0 && std::holds_alternative<Input>(checked.operation)) node.fail("expected one input, found another");
    for (const auto input : checked.inputs)
      if (!known(input) || !made[static_cast<std::size_t>(input)])
        node.fail("expected inputs that nodes before it make, found " +
                  (known(input) ? "value " + graph.values[static_cast<std::size_t>(input)].name : "no such value"));
    const auto [fewest, most] = std::visit([](const auto& op) { return op.arity(); }, checked.operation);
    if (checked.inputs.size() < fewest || checked.inputs.size() > most)
      node.fail("expected " + std::to_string(fewest) + (most > fewest ? " to " + std::to_string(most) : "") +
                " inputs, found " + std::to_string(checked.inputs.size()));
    visit_attributes(checked.operation, AttributeCheck{node});
    check_output_count(checked);
    for (const ValueId output : checked.outputs) {
      if (!known(output)) node.fail("expected an output value, found none");
      if (made[static_cast<std::size_t>(output)])
        node.fail("expected an output of its own, found value " + graph.values[static_cast<std::size_t>(output)].name +
                  ", which is made already");
      made[static_cast<std::size_t>(output)] = true;
    }
    std::visit([&](const auto& op) { op.check(node); }, checked.operation);
  }
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < graph.values.size(); ++i)
    if (made[i] && !names.insert(graph.values[i].name).second)
      throw Error("expected values of different names, found two named " + graph.values[i].name);
  for (const auto output : graph.outputs)
    if (!known(output) || !made[static_cast<std::size_t>(output)])
      throw Error("expected outputs that nodes make, found " +
                  (known(output) ? graph.values[static_cast<std::size_t>(output)].name : "no such value"));
}

}  // namespace maskrt::graph
