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

/// Writes the attributes of an operation, or of one of its parts, into an object.
class Writer {
 public:
  /// `defaults` holds all attributes of a default-constructed one.
  Writer(Json& object, const Json& defaults) : object_(object), defaults_(defaults) {}

  void integer(const char* name, std::int64_t value, std::int64_t, std::int64_t, InFiles in_files = InFiles::always) {
    write(name, value, in_files);
  }
  void real(const char* name, double value, double, double, InFiles in_files = InFiles::always) {
    write(name, value, in_files);
  }
  void boolean(const char* name, bool value, InFiles in_files = InFiles::always) { write(name, value, in_files); }
  void activation(const char* name, Activation value, InFiles in_files = InFiles::always) {
    write(name, name_of(value), in_files);
  }
  void constant(const char* name, const ConstantPtr& value, bool, InFiles in_files = InFiles::always) {
    write(name, value ? Json(value->name()) : Json(nullptr), in_files);
  }
  template <typename Part>
  void parts(const char* name, const std::vector<Part>& list, std::size_t, std::size_t,
             InFiles in_files = InFiles::always) {
    Json objects = Json::array();
    for (const Part& part : list) objects.push_back(with_attributes(part, Json::object()));
    write(name, std::move(objects), in_files);
  }

  /// `object` with the attributes of an operation, or of one of its parts, after what it has.
  template <typename Attributed>
  static Json with_attributes(const Attributed& attributed, Json object) {
    const Json none = Json::object();
    Json defaults = Json::object();
    Writer all(defaults, none);
    const Attributed plain;
    Attributed::visit_attributes(plain, all);
    Writer writer(object, defaults);
    Attributed::visit_attributes(attributed, writer);
    return object;
  }

 private:
  void write(const char* name, Json value, InFiles in_files) {
    const auto by_default = defaults_.find(name);
    if (in_files == InFiles::unless_default && by_default != defaults_.end() && *by_default == value) return;
    object_[name] = std::move(value);
  }

  Json& object_;
  const Json& defaults_;
};

/// One node's object, or that of a part of its operation: every key is asked for once, and none may be left over.
class NodeReader {
 public:
  using FindConstant = std::function<ConstantPtr(const std::string&)>;
  NodeReader(const nlohmann::json& object, std::size_t index, const FindConstant& find)
      : NodeReader(object, "node " + std::to_string(index), find) {
    where_ = "node " + text("name");
  }

  [[noreturn]] void fail(const std::string& what) const { throw Error("graph: " + where_ + ": " + what); }

  const nlohmann::json& get(const char* key) {
    const auto found = object_.find(key);
    if (found == object_.end()) fail(std::string("expected \"") + key + "\", found none");
    used_.insert(key);
    return *found;
  }
  const nlohmann::json& list(const char* key) {
    const auto& value = get(key);
    if (!value.is_array()) fail(std::string("expected ") + key + " to be a list");
    return value;
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
  void integer(const char* name, Integer& value, std::int64_t low, std::int64_t high,
               InFiles in_files = InFiles::always) {
    if (stays_default(name, in_files)) return;
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
  void real(const char* name, double& value, double low, double high, InFiles in_files = InFiles::always) {
    if (stays_default(name, in_files)) return;
    const auto& number = get(name);
    if (!number.is_number() || !(number.get<double>() >= low && number.get<double>() <= high))
      fail(std::string("expected ") + name + " from " + std::to_string(low) + " to " + std::to_string(high) +
           ", found " + number.dump());
    value = number.get<double>();
  }
  void boolean(const char* name, bool& value, InFiles in_files = InFiles::always) {
    if (stays_default(name, in_files)) return;
    const auto& found = get(name);
    if (!found.is_boolean()) fail(std::string("expected ") + name + " to be true or false, found " + found.dump());
    value = found.get<bool>();
  }
  void activation(const char* name, Activation& value, InFiles in_files = InFiles::always) {
    if (stays_default(name, in_files)) return;
    const auto found = text(name);
    for (const auto candidate : {Activation::none, Activation::relu, Activation::sigmoid}) {
      if (found != name_of(candidate)) continue;
      value = candidate;
      return;
    }
    fail(std::string("expected ") + name + " none, relu or sigmoid, found " + found);
  }
  void constant(const char* name, ConstantPtr& value, bool optional, InFiles in_files = InFiles::always) {
    if (stays_default(name, in_files)) return;
    const auto& found = get(name);
    if (found.is_null() && optional) return;
    if (!found.is_string()) fail(std::string("expected ") + name + " to name a tensor");
    value = find_(found.get<std::string>());
    if (!value)
      fail(std::string("expected ") + name + " to name a tensor of the file, found " + found.get<std::string>());
  }

  template <typename Part>
  void parts(const char* name, std::vector<Part>& value, std::size_t fewest, std::size_t most,
             InFiles in_files = InFiles::always) {
    if (stays_default(name, in_files)) return;
    const auto& objects = list(name);
    if (objects.size() < fewest || objects.size() > most)
      fail("expected from " + std::to_string(fewest) + " to " + std::to_string(most) + " " + name + ", found " +
           std::to_string(objects.size()));
    value.assign(objects.size(), Part());
    for (std::size_t i = 0; i < value.size(); ++i) {
      NodeReader reader(objects[i], where_ + ": " + name + " " + std::to_string(i), find_);
      Part::visit_attributes(value[i], reader);
      reader.expect_nothing_else();
    }
  }

 private:
  NodeReader(const nlohmann::json& object, std::string where, const FindConstant& find)
      : object_(object), where_(std::move(where)), find_(find) {
    if (!object.is_object()) fail("expected an object");
  }

  /// True where the file may lack the attribute and does: the operation then keeps what it was made with.
  bool stays_default(const char* name, InFiles in_files) const {
    return in_files == InFiles::unless_default && !object_.contains(name);
  }

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
    if (node.outputs.size() == 1) {
      object["output"] = value_name(node.output());
    } else {
      object["outputs"] = Json::array();
      for (const auto output : node.outputs) object["outputs"].push_back(value_name(output));
    }
    nodes.push_back(std::visit(
        [&](const auto& operation) { return Writer::with_attributes(operation, std::move(object)); }, node.operation));
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
  const auto document = parse_strict_json(text, "graph", 5);
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
