// The plain graph as JSON. docs/model-file.md is this file for people who write another reader.
#include <map>
#include <utility>

#include "attributes_json.h"
#include "model_file.h"
#include "strict_json.h"

namespace maskrt::graph {
namespace {

constexpr std::int64_t kGraphVersion = 1;
constexpr std::int64_t kOperationVersion = 1;  // of every operation, so far

/// Calls `each` with a default of every kind of operation.
template <typename Each, std::size_t... index>
void for_each_kind(const Each& each, std::index_sequence<index...>) {
  (each(Operation(std::in_place_index<index>)), ...);
}

const Operation* operation_named(const std::string& name) {
  static const auto kinds = [] {
    std::map<std::string, Operation, std::less<>> all;
    for_each_kind([&](Operation kind) { all.emplace(name_of(kind), std::move(kind)); },
                  std::make_index_sequence<std::variant_size_v<Operation>>());
    return all;
  }();
  const auto found = kinds.find(name);
  return found == kinds.end() ? nullptr : &found->second;
}

}  // namespace

std::string graph_to_json(const Graph& graph) {
  const auto value_name = [&](ValueId id) { return graph.values.at(static_cast<std::size_t>(id)).name; };
  using Json = nlohmann::ordered_json;
  Json nodes = Json::array();
  for (const auto& node : graph.nodes) {
    Json object;
    object["name"] = node.name;
    object["op"] = name_of(node.operation);
    object["version"] = kOperationVersion;
    object["inputs"] = Json::array();
    for (const auto input : node.inputs) object["inputs"].push_back(value_name(input));
    if (node.outputs.size() == 1) {
      object["output"] = value_name(node.output());
    } else {
      object["outputs"] = Json::array();
      for (const auto output : node.outputs) object["outputs"].push_back(value_name(output));
    }
    nodes.push_back(std::visit([&](const auto& operation) { return with_attributes(operation, std::move(object)); },
                               node.operation));
  }
  Json outputs = Json::array();
  for (const auto output : graph.outputs) outputs.push_back(value_name(output));
  Json document;
  document["version"] = kGraphVersion;
  document["nodes"] = std::move(nodes);
  document["outputs"] = std::move(outputs);
  try {
    return document.dump();
  } catch (const nlohmann::json::exception&) {
    throw Error("graph: expected names in UTF-8, found other bytes");
  }
}

Graph graph_from_json(const std::string& text, const std::function<ConstantPtr(const std::string&)>& constant) {
  const auto document = parse_strict_json(text, "graph", 5);
  const auto fail = [](const std::string& what) { throw Error("graph: " + what); };
  if (!document.is_object() || !document.contains("version") || !document["version"].is_number_integer())
    fail("expected an object with a version");
  if (document["version"] != kGraphVersion)
    fail("expected version " + std::to_string(kGraphVersion) + ", found " + document["version"].dump() +
         ", which a newer maskrt wrote");
  if (document.size() != 3 || !document.contains("nodes") || !document["nodes"].is_array() ||
      !document.contains("outputs") || !document["outputs"].is_array())
    fail("expected version, a list of nodes and a list of outputs");
  if (document["nodes"].size() > static_cast<std::size_t>(limits::kNodes))
    fail("expected at most " + std::to_string(limits::kNodes) + " nodes, found " +
         std::to_string(document["nodes"].size()));

  Graph graph;
  std::map<std::string, ValueId, std::less<>> made;
  const auto lookup = [&](const nlohmann::json& name, const auto& complain) {
    const auto found = name.is_string() ? made.find(name.get<std::string>()) : made.end();
    if (found == made.end()) complain("expected the name of a value made before, found " + name.dump());
    return found->second;
  };
  for (const auto& object : document["nodes"]) {
    NodeReader reader(object, graph.nodes.size(), constant);
    const auto kind_name = reader.text("op");
    const auto* kind = operation_named(kind_name);
    if (kind == nullptr) reader.fail("expected a known operation, found " + kind_name);
    const auto& version = reader.get("version");
    if (version != kOperationVersion)
      reader.fail("expected " + kind_name + " of version " + std::to_string(kOperationVersion) + ", found " +
                  version.dump() + ", which a newer maskrt wrote");
    std::vector<ValueId> ids;
    for (const auto& input : reader.list("inputs"))
      ids.push_back(lookup(input, [&](const std::string& what) { reader.fail(what); }));
    auto operation = *kind;
    visit_attributes(operation, reader);
    const auto name = reader.text("name");
    const std::size_t count = output_count(operation);
    std::vector<std::string> outputs;
    if (count == 1) {
      outputs.push_back(reader.text("output"));
    } else {
      for (const auto& output : reader.list("outputs")) {
        if (!output.is_string()) reader.fail("expected the names of its outputs, found " + output.dump());
        outputs.push_back(output.get<std::string>());
      }
      if (outputs.size() != count)
        reader.fail("expected " + std::to_string(count) + " outputs, found " + std::to_string(outputs.size()));
    }
    reader.expect_nothing_else();
    for (const std::string& output : outputs)
      if (output.empty()) reader.fail("expected an output with a name");
    const std::vector<ValueId> values = graph.add_several(name, std::move(operation), std::move(ids), outputs);
    for (std::size_t k = 0; k < values.size(); ++k)
      if (!made.emplace(outputs[k], values[k]).second)
        reader.fail("expected an output of its own, found another " + outputs[k]);
  }
  for (const auto& output : document["outputs"]) graph.outputs.push_back(lookup(output, fail));
  check(graph);
  return graph;
}

}  // namespace maskrt::graph
