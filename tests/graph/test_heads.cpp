// Heads: what a network's outputs mean, through the model file and one rewrite.
#include <catch2/catch.hpp>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "graph/head_json.h"
#include "graph/rewrites/rewrites.h"
#include "support/small_network.h"

using namespace maskrt;
using namespace maskrt::graph;
using namespace maskrt::testing;
using nlohmann::json;

namespace {

Graph small_graph() {
  Dice dice(3);
  return small_sparse_inst(dice);
}

std::string error_of(const json& head, const Graph& graph) {
  try {
    head_from_json(head, graph);
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

struct Settings {
  std::map<std::string, float> found;
  void real(const char* name, float value, double, double) { found[name] = value; }
  void integer(const char* name, int value, int, int) { found[name] = static_cast<float>(value); }
  void boolean(const char* name, bool value) { found[name] = value ? 1 : 0; }
};

std::map<std::string, float> settings_of(const Head& head) {
  Settings settings;
  visit_settings(head, settings);
  return settings.found;
}

}  // namespace

TEST_CASE("every head has a name of its own and goes through JSON with its values and settings") {
  const Graph graph = small_graph();
  std::set<std::string_view> names;
  for (Head head : every_head()) {
    INFO(name_of(head));
    CHECK(!name_of(head).empty());
    CHECK(names.insert(name_of(head)).second);
    // Values and settings that are not the defaults.
    struct Setter {
      const Graph& graph;
      int count = 0;
      void value(const char*, ValueId& value) { value = graph.outputs[static_cast<std::size_t>(count++) % 3]; }
      void real(const char*, float& value, double low, double high) {
        value = static_cast<float>(low + (high - low) / (2 + ++count));
      }
      void integer(const char*, int& value, int low, int high) { value = low + (high - low) / (2 + ++count); }
      void boolean(const char*, bool& value) { value = !value; }
    };
    std::visit(
        [&](auto& kind) {
          Setter setter{graph};
          kind.visit_values(kind, setter);
          kind.visit_settings(kind, setter);
        },
        head);
    const json written = head_to_json(head, graph);
    const Head read = head_from_json(written, graph);
    CHECK(read.index() == head.index());
    CHECK(values_of(read) == values_of(head));
    CHECK(settings_of(read) == settings_of(head));
    CHECK(head_to_json(read, graph) == written);

    // What a newer program may have written is refused in one sentence.
    const auto changed = [&](const auto& change) {
      json other = written;
      change(other);
      return error_of(other, graph);
    };
    CHECK_THAT(changed([](json& h) { h["version"] = h["version"].get<int>() + 1; }),
               Catch::Contains("or older, found") && Catch::Contains("which a newer maskrt wrote"));
    CHECK_THAT(changed([](json& h) { h["settings"]["new"] = 1; }), Catch::Contains("found new"));
    CHECK_THAT(changed([](json& h) { h["values"]["new"] = "encoder"; }), Catch::Contains("found new"));
    CHECK_THAT(changed([](json& h) { h["new"] = 1; }), Catch::Contains("found new"));
    // A setting that an older program did not know has its default.
    const json bare = {{"name", written["name"]}, {"version", 1}, {"values", written["values"]}};
    const Head defaults = head_from_json(bare, graph);
    Head fresh = every_head()[head.index()];
    CHECK(settings_of(defaults) == settings_of(fresh));
  }
}

TEST_CASE("heads that are wrong say what was expected") {
  const Graph graph = small_graph();
  const json good = head_to_json(sparse_inst_head(graph), graph);
  REQUIRE(error_of(good, graph) == "");
  const auto changed = [&](const auto& change) {
    json other = good;
    change(other);
    return error_of(other, graph);
  };
  CHECK_THAT(changed([](json& h) { h["name"] = "DenseInst"; }),
             Catch::Contains("expected one of values, SparseInst, FastInst, found DenseInst"));
  CHECK_THAT(changed([](json& h) { h["version"] = 0; }), Catch::Contains("expected version from 1"));
  CHECK_THAT(changed([](json& h) { h["version"] = "1"; }), Catch::Contains("expected version from 1"));
  CHECK_THAT(changed([](json& h) { h.erase("version"); }), Catch::Contains("expected \"version\", found none"));
  CHECK_THAT(changed([](json& h) { h["values"].erase("mask_logits"); }),
             Catch::Contains("expected \"mask_logits\", found none"));
  CHECK_THAT(changed([](json& h) { h["values"]["mask_logits"] = 3; }), Catch::Contains("to be a string"));
  CHECK_THAT(changed([](json& h) { h["values"]["mask_logits"] = "nothing"; }),
             Catch::Contains("expected mask_logits to name an output of the network, found nothing"));
  CHECK_THAT(changed([](json& h) { h["values"]["mask_logits"] = "encoder"; }), Catch::Contains("found encoder"));
  CHECK_THAT(changed([](json& h) { h["settings"]["mask_threshold"] = 2; }),
             Catch::Contains("expected mask_threshold from 0"));
  CHECK_THAT(changed([](json& h) { h["settings"]["mask_threshold"] = "0.5"; }),
             Catch::Contains("expected mask_threshold from 0"));
  CHECK_THAT(changed([](json& h) { h["settings"] = 1; }), Catch::Contains("expected an object"));
  CHECK_THAT(error_of(json::array(), graph), Catch::Contains("head: expected an object"));
}

TEST_CASE("files of format 1 name an architecture, whose outputs are called as the head calls them") {
  Graph graph = small_graph();
  const json settings = {{"score_threshold", 0.25}, {"mask_threshold", 0.5}};
  const auto head = std::get<SparseInstHead>(head_of_architecture("SparseInst", settings, graph));
  CHECK(values_of(head) == values_of(Head(sparse_inst_head(graph))));
  CHECK(head.score_threshold == 0.25f);
  CHECK(head.mask_threshold == 0.5f);
  CHECK_THROWS_WITH(head_of_architecture("Whatever", settings, graph),
                    Catch::Contains("architecture: expected one of values, SparseInst, FastInst, found Whatever"));
  CHECK_THROWS_WITH(head_of_architecture("SparseInst", {{"nms", 1}}, graph), Catch::Contains("found nms"));
  graph.values[static_cast<std::size_t>(graph.find("mask_logits"))].name = "masks";
  const Head other = head_of_architecture("SparseInst", settings, graph);
  CHECK_THROWS_WITH(check(other, graph, infer_extents(graph, 1, 64, 64)),
                    Catch::Contains("head SparseInst: expected the network to have an output mask_logits, found none"));
}

TEST_CASE("masks that are doubled last are doubled by the head, and the output stays") {
  Graph graph = small_graph();
  Head head = sparse_inst_head(graph);
  const SparseInstHead before = std::get<SparseInstHead>(head);
  rewrite(graph, head);
  CHECK(values_of(head) == values_of(Head(before)));  // on request alone
  rewrite(graph, head, {}, {"resize-masks-late"});
  const SparseInstHead after = std::get<SparseInstHead>(head);
  CHECK(after.mask_factor == 2);
  CHECK(graph.is_output(before.mask_logits));
  CHECK(graph.is_output(after.mask_logits));
  const Node& node = graph.nodes[static_cast<std::size_t>(graph.producer(before.mask_logits))];
  CHECK(node.inputs[0] == after.mask_logits);

  // The numbers: the logits that the head reads, doubled, are the output's.
  Dice dice(4);
  const Map input = dice.map({1, 64, 96, 3});
  const std::vector<Map> values = interpret(graph, input);
  Node doubling = node;
  doubling.operation = ResizeBilinear{static_cast<double>(after.mask_factor)};
  const Map& whole = values[static_cast<std::size_t>(before.mask_logits)];
  CHECK(interpret_node(doubling, values, infer_extents(graph, 1, 64, 96)).front().data == whole.data);

  rewrite(graph, head, {}, {"resize-masks-late"});
  CHECK(std::get<SparseInstHead>(head).mask_factor == 2);  // once
  Head off = before;
  rewrite(graph, off, {"resize-masks-late"}, {"resize-masks-late"});
  CHECK(std::get<SparseInstHead>(off).mask_factor == 1);
  Head none;
  rewrite(graph, none, {}, {"resize-masks-late"});
  CHECK(name_of(none) == "values");
}

TEST_CASE("FastInst's head finds what its settings switch on") {
  for (int bits = 0; bits < 8; ++bits) {
    FastInstHead head;
    head.instances = (bits & 1) != 0, head.semantic = (bits & 2) != 0, head.panoptic = (bits & 4) != 0;
    std::vector<Task> expected;
    if (head.instances) expected.push_back(Task::instances);
    if (head.semantic) expected.push_back(Task::semantic);
    if (head.panoptic) expected.push_back(Task::panoptic);
    const std::span<const Task> found = tasks_of(Head(head));
    CHECK(std::vector<Task>(found.begin(), found.end()) == expected);
  }
  Head head = FastInstHead();
  const std::vector<Category> categories = {{1, "a", true, {}}, {2, "b", false, {}}};
  set_things(head, categories);
  CHECK(std::get<FastInstHead>(head).things == std::vector<bool>{true, false});
}

TEST_CASE("FastInst's head wants a mask and a position for each query") {
  Graph graph;
  const ValueId x = graph.add("x", Input{3}, {});
  const ValueId scores = graph.add("scores", Slice{0, 1}, {x});
  const auto top = graph.add_several("top", SelectTop{3}, {scores}, {"positions", "numbers"});
  const ValueId rows = graph.add("rows", GatherPositions{}, {x, top[0]});
  graph.outputs = {x, scores, top[0], top[1], rows};
  const auto error = [&](ValueId classes, ValueId masks, ValueId positions) {
    FastInstHead head;
    head.class_logits = classes, head.mask_logits = masks, head.query_positions = positions;
    try {
      check(Head(head), graph, infer_extents(graph, 1, 8, 8));
      return std::string();
    } catch (const Error& e) {
      return std::string(e.what());
    }
  };
  CHECK(error(rows, x, top[0]) == "");
  CHECK_THAT(error(x, x, top[0]), Catch::Contains("class_logits: expected a list of the queries' logits"));
  CHECK_THAT(error(top[1], x, top[0]), Catch::Contains("class_logits: expected a list of the queries' logits"));
  CHECK_THAT(error(rows, scores, top[0]),
             Catch::Contains("mask_logits: expected a map with a channel for each of the 3"));
  CHECK_THAT(error(rows, x, top[1]),
             Catch::Contains("query_positions: expected a list of one integer for each of the"));
  CHECK_THAT(error(rows, x, -1), Catch::Contains("expected the network to have an output query_positions"));
}

TEST_CASE("docs/model-file.md has a row for each head, with its tasks, values and settings") {
  std::ifstream page(MASKRT_TEST_DATA "/../../docs/model-file.md");
  std::map<std::string, std::string> rows;  // by the head's name
  bool inside = false;
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with("|")) inside = false;
    if (inside && line.starts_with("| `")) rows[line.substr(3, line.find('`', 3) - 3)] = line;
    if (line.starts_with("| head ")) inside = true;
  }
  struct Names {
    std::vector<std::string> found;
    void value(const char* role, ValueId) { found.push_back(role); }
    void real(const char* name, float, double, double) { found.push_back(name); }
    void integer(const char* name, int, int, int) { found.push_back(name); }
    void boolean(const char* name, bool) { found.push_back(name); }
  };
  for (const Head& head : every_head()) {
    INFO(name_of(head));
    const std::string row = rows[std::string(name_of(head))];
    REQUIRE(!row.empty());
    Names names;
    std::visit(
        [&](const auto& kind) {
          kind.visit_values(kind, names);
          kind.visit_settings(kind, names);
        },
        head);
    for (const std::string& name : names.found) CHECK_THAT(row, Catch::Contains("`" + name + "`"));
    for (const Task task : tasks_of(head)) CHECK_THAT(row, Catch::Contains(std::string(maskrt::name_of(task))));
  }
  CHECK(rows.size() == every_head().size());
}
