// The plain graph as JSON. docs/model-file.md is this file for people who write another reader.
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "model_file.h"
#include "strict_json.h"

namespace maskrt::graph {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t graph_version = 1;
constexpr std::int64_t operation_version = 1;  // of every operation, so far

struct Writer {
  Json& node;
  void integer(const char* name, std::int64_t value, std::int64_t, std::int64_t) { node[name] = value; }
  void real(const char* name, double value, double, double) { node[name] = value; }
  void boolean(const char* name, bool value) { node[name] = value; }
  void activation(const char* name, Activation value) { node[name] = name_of(value); }
  void constant(const char* name, const ConstantPtr& value, bool) {
    node[name] = value ? Json(value->name()) : Json(nullptr);
  }
};

/// One node's object: every key is asked for once, and none may be left over.
class NodeReader {
 public:
  using FindConstant = std::function<ConstantPtr(const std::string&)>;
  NodeReader(const nlohmann::json& object, std::size_t index, const FindConstant& find)
      : object_(object), where_("node " + std::to_string(index)), find_(find) {
    if (!object.is_object()) fail("expected an object");
    where_ = "node " + text("name");
  }

  [[noreturn]] void fail(const std::string& what) const { throw Error("graph: " + where_ + ": " + what); }

  const nlohmann::json& get(const char* key) {
    const auto found = object_.find(key);
    if (found == object_.end()) fail(std::string("expected \"") + key + "\", found none");
    used_.insert(key);
    return *found;
  }
  std::string text(const char* key) {
    const auto& value = get(key);
    if (!value.is_string()) fail(std::string("expected \"") + key + "\" to be a string");
    return value.get<std::string>();
  }
  void expect_nothing_else() const {
    for (const auto& [key, value] : object_.items())
      if (used_.count(key) == 0) fail("expected only keys that the operation has, found \"" + key + "\"");
  }

  template <typename Integer>
  void integer(const char* name, Integer& value, std::int64_t low, std::int64_t high) {
    const auto& number = get(name);
    // Unsigned numbers beyond int64 exist in JSON; they are out of any range here.
    const bool fits = number.is_number_integer() &&
                      (!number.is_number_unsigned() || number.get<std::uint64_t>() <= static_cast<std::uint64_t>(high));
    const auto found = fits ? number.get<std::int64_t>() : std::numeric_limits<std::int64_t>::min();
    if (found < low || found > high)
      fail(std::string("expected ") + name + " from " + std::to_string(low) + " to " + std::to_string(high) +
           ", found " + number.dump());
    value = static_cast<Integer>(found);
  }
  void real(const char* name, double& value, double low, double high) {
    const auto& number = get(name);
    if (!number.is_number() || !(number.get<double>() >= low && number.get<double>() <= high))
      fail(std::string("expected ") + name + " from " + std::to_string(low) + " to " + std::to_string(high) +
           ", found " + number.dump());
    value = number.get<double>();
  }
  void boolean(const char* name, bool& value) {
    const auto& found = get(name);
    if (!found.is_boolean()) fail(std::string("expected ") + name + " to be true or false, found " + found.dump());
    value = found.get<bool>();
  }
  void activation(const char* name, Activation& value) {
    const auto found = text(name);
    for (const auto candidate : {Activation::none, Activation::relu, Activation::sigmoid}) {
      if (found != name_of(candidate)) continue;
      value = candidate;
      return;
    }
    fail(std::string("expected ") + name + " none, relu or sigmoid, found " + found);
  }
  void constant(const char* name, ConstantPtr& value, bool optional) {
    const auto& found = get(name);
    if (found.is_null() && optional) return;
    if (!found.is_string()) fail(std::string("expected ") + name + " to name a tensor");
    value = find_(found.get<std::string>());
    if (!value)
      fail(std::string("expected ") + name + " to name a tensor of the file, found " + found.get<std::string>());
  }

 private:
  const nlohmann::json& object_;
  std::string where_;
  const FindConstant& find_;
  std::set<std::string, std::less<>> used_;
};

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
  Json nodes = Json::array();
  for (const auto& node : graph.nodes) {
    Json object;
    object["name"] = node.name;
    object["op"] = name_of(node.operation);
    object["version"] = operation_version;
    object["inputs"] = Json::array();
    for (const auto input : node.inputs) object["inputs"].push_back(value_name(input));
    object["output"] = value_name(node.output);
    visit_attributes(node.operation, Writer{object});
    nodes.push_back(std::move(object));
  }
  Json outputs = Json::array();
  for (const auto output : graph.outputs) outputs.push_back(value_name(output));
  Json document;
  document["version"] = graph_version;
  document["nodes"] = std::move(nodes);
  document["outputs"] = std::move(outputs);
  try {
    return document.dump();
  } catch (const nlohmann::json::exception&) {
    throw Error("graph: expected names in UTF-8, found other bytes");
  }
}

Graph graph_from_json(const std::string& text, const std::function<ConstantPtr(const std::string&)>& constant) {
  const auto document = parse_strict_json(text, "graph", 4);
  const auto fail = [](const std::string& what) { throw Error("graph: " + what); };
  if (!document.is_object() || !document.contains("version") || !document["version"].is_number_integer())
    fail("expected an object with a version");
  if (document["version"] != graph_version)
    fail("expected version " + std::to_string(graph_version) + ", found " + document["version"].dump() +
         ", which a newer maskrt wrote");
  if (document.size() != 3 || !document.contains("nodes") || !document["nodes"].is_array() ||
      !document.contains("outputs") || !document["outputs"].is_array())
    fail("expected version, a list of nodes and a list of outputs");
  if (document["nodes"].size() > static_cast<std::size_t>(limits::nodes))
    fail("expected at most " + std::to_string(limits::nodes) + " nodes, found " +
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
    if (version != operation_version)
      reader.fail("expected " + kind_name + " of version " + std::to_string(operation_version) + ", found " +
                  version.dump() + ", which a newer maskrt wrote");
    const auto& inputs = reader.get("inputs");
    if (!inputs.is_array()) reader.fail("expected inputs to be a list");
    std::vector<ValueId> ids;
    for (const auto& input : inputs) ids.push_back(lookup(input, [&](const std::string& what) { reader.fail(what); }));
    auto operation = *kind;
    visit_attributes(operation, reader);
    const auto name = reader.text("name"), output = reader.text("output");
    reader.expect_nothing_else();
    if (output.empty()) reader.fail("expected an output with a name");
    const auto id = graph.add(name, std::move(operation), std::move(ids), output);
    if (!made.emplace(output, id).second) reader.fail("expected an output of its own, found another " + output);
  }
  for (const auto& output : document["outputs"]) graph.outputs.push_back(lookup(output, fail));
  check(graph);
  return graph;
}

}  // namespace maskrt::graph
