#include "head_json.h"

#include <charconv>
#include <cstdlib>
#include <limits>
#include <utility>

#include "json_fields.h"

namespace maskrt::graph {
namespace {

using nlohmann::json;

struct Writer {
  const Graph& graph;
  json& values;
  json& settings;
  void value(const char* role, ValueId value) { values[role] = graph.values.at(static_cast<std::size_t>(value)).name; }
  void real(const char* name, float value, double, double) { settings[name] = short_decimal(value); }
  void integer(const char* name, int value, int, int) { settings[name] = value; }
  void boolean(const char* name, bool value) { settings[name] = value; }
};

/// The output of that name, or -1.
ValueId output_named(const Graph& graph, const std::string& name) {
  const ValueId value = graph.find(name);
  return value >= 0 && graph.is_output(value) ? value : -1;
}

struct ValueReader {
  const Graph& graph;
  JsonFields& fields;
  void value(const char* role, ValueId& value) {
    const std::string name = fields.text(fields.get(role), role);
    value = output_named(graph, name);
    if (value < 0) fields.fail(std::string("expected ") + role + " to name an output of the network, found " + name);
  }
};

struct SettingReader {
  JsonFields& fields;
  void real(const char* name, float& value, double low, double high) {
    if (const json* const found = fields.find(name)) value = fields.real(*found, name, low, high);
  }
  void integer(const char* name, int& value, int low, int high) {
    if (const json* const found = fields.find(name)) value = fields.integer(*found, name, low, high);
  }
  void boolean(const char* name, bool& value) {
    if (const json* const found = fields.find(name)) value = fields.boolean(*found, name);
  }
};

Head head_named(const std::string& name, const std::string& what) {
  std::string known;
  for (const Head& head : every_head()) {
    if (name_of(head) == name) return head;
    known += (known.empty() ? "" : ", ") + std::string(name_of(head));
  }
  throw Error(what + ": expected one of " + known + ", found " + name + ", which a newer maskrt may know");
}

void read_settings(const json& object, const std::string& where, Head& head) {
  JsonFields fields(object, where);
  visit_settings(head, SettingReader{fields});
  fields.expect_nothing_else();
}

}  // namespace

double short_decimal(float value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text - 1, value).ptr;
  *end = '\0';
  return std::strtod(text, nullptr);
}

json head_to_json(const Head& head, const Graph& graph) {
  json values = json::object(), settings = json::object();
  return std::visit(
      [&](const auto& kind) -> json {
        Writer writer{graph, values, settings};
        kind.visit_values(kind, writer);
        kind.visit_settings(kind, writer);
        return {
            {"name", std::string(kind.name)}, {"version", kind.version}, {"values", values}, {"settings", settings}};
      },
      head);
}

Head head_from_json(const json& object, const Graph& graph) {
  JsonFields fields(object, "head");
  Head head = head_named(fields.text(fields.get("name"), "name"), "head");
  const std::string where = "head " + std::string(name_of(head));
  const int version = fields.integer(fields.get("version"), "version", 1, std::numeric_limits<int>::max());
  std::visit(
      [&](auto& kind) {
        if (version > kind.version)
          throw Error(where + ": expected version " + std::to_string(kind.version) + " or older, found " +
                      std::to_string(version) + ", which a newer maskrt wrote");
        JsonFields values(fields.get("values"), where + ", values");
        kind.visit_values(kind, ValueReader{graph, values});
        values.expect_nothing_else();
      },
      head);
  static const json none = json::object();
  const json* const settings = fields.find("settings");
  read_settings(settings == nullptr ? none : *settings, where + ", settings", head);
  fields.expect_nothing_else();
  return head;
}

Head head_of_architecture(const std::string& architecture, const json& settings, const Graph& graph) {
  Head head = head_named(architecture, "architecture");
  struct OutputFinder {
    const Graph& graph;
    void value(const char* role, ValueId& value) { value = output_named(graph, role); }
  };
  std::visit([&](auto& kind) { kind.visit_values(kind, OutputFinder{graph}); }, head);
  read_settings(settings, "postprocessing", head);
  return head;
}

}  // namespace maskrt::graph
