// Graphs: building, queries, clones, instantiation, updates, memory nodes, launches.
#include <set>

#include "engine_harness.h"

namespace vgpu::engine {
namespace {

std::shared_ptr<GraphExec> instantiate(const Graph& graph, bool auto_free = false) {
  GraphExec::Instantiation made = GraphExec::instantiate(graph, auto_free);
  REQUIRE(made.exec != nullptr);
  return std::move(made.exec);
}

}  // namespace

TEST_CASE("edges alone order the nodes of a graph") {
  std::set<std::vector<std::string>> orders;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    EngineBench bench(seed);
    const auto graph = Graph::create(bench.engine);
    Node* d = graph->add({}, bench.note("d"));
    Node* c = graph->add({}, bench.note("c"));
    Node* b = graph->add({}, bench.note("b"));
    Node* a = graph->add({}, bench.note("a"));
    const std::vector<Node*> from{a, a, b, c};
    const std::vector<Node*> to{b, c, d, d};
    graph->add_edges(from, to);
    const auto exec = instantiate(*graph);
    const auto stream = bench.stream();
    stream->submit(bench.note("before"));
    stream->launch(*exec);
    stream->submit(bench.note("after"));
    stream->synchronize();
    const auto ran = bench.notes();
    REQUIRE(ran.size() == 6);
    CHECK(ran.front() == "before");
    CHECK(ran[1] == "a");
    CHECK(ran[4] == "d");
    CHECK(ran.back() == "after");
    orders.insert(ran);
  }
  CHECK(orders.size() == 2);
}

TEST_CASE("launches of one graph never overlap; two graphs may") {
  std::set<std::vector<std::string>> orders;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    EngineBench bench(seed);
    const auto graph = Graph::create(bench.engine);
    Node* first = graph->add({}, bench.note("1"));
    graph->add(std::vector<Node*>{first}, bench.note("2"));
    const auto one = instantiate(*graph);
    const auto two = instantiate(*graph);
    const auto a = bench.stream();
    const auto b = bench.stream();
    a->launch(*one);
    b->launch(*one);
    bench.context->synchronize();
    CHECK(bench.notes() == std::vector<std::string>{"1", "2", "1", "2"});
    a->launch(*one);
    b->launch(*two);
    bench.context->synchronize();
    const auto ran = bench.notes();
    orders.insert({ran.begin() + 4, ran.end()});
  }
  CHECK(orders.size() == 2);
}

TEST_CASE("the shape of a graph: queries, edges, removal, mistakes") {
  EngineBench bench;
  const auto graph = Graph::create(bench.engine);
  const auto another = Graph::create(bench.engine);
  Node* a = graph->add({}, bench.note("a"));
  Node* b = graph->add(std::vector<Node*>{a}, bench.note("b"));
  Node* c = graph->add(std::vector<Node*>{a, b}, bench.note("c"));
  Node* stranger = another->add({}, bench.note("x"));
  CHECK(graph->nodes() == std::vector<Node*>{a, b, c});
  CHECK(graph->roots() == std::vector<Node*>{a});
  CHECK(graph->edges().size() == 3);
  CHECK(a->dependents().size() == 2);
  CHECK(c->dependencies().size() == 2);
  const auto invalid = [](const std::function<void()>& call) { CHECK(code_from(call) == Code::invalid_value); };
  const std::vector<Node*> one_a{a};
  const std::vector<Node*> one_b{b};
  const std::vector<Node*> strange{stranger};
  invalid([&] { graph->add(strange, bench.note("y")); });
  invalid([&] { graph->add(std::vector<Node*>{a, a}, bench.note("y")); });
  invalid([&] { graph->add_edges(one_a, one_b); });
  invalid([&] { graph->add_edges(one_a, one_a); });
  invalid([&] { graph->add_edges(one_a, strange); });
  invalid([&] { graph->remove_edges(one_b, one_a); });
  invalid([&] { graph->set_work(a, set_work(0, 0, 4, 1)); });
  invalid([&] { graph->add_free({}, bench.words(1, 0)); });
  invalid([&] { graph->add_allocation({}, 0); });
  const std::vector<EdgeData> programmatic{{1, 0, 1}};
  invalid([&] { graph->add(one_a, bench.note("y"), programmatic); });
  CHECK(code_from([&] { graph->add_allocation({}, std::uint64_t{1} << 40); }) == Code::out_of_memory);
  graph->remove_edges(one_a, one_b);
  CHECK(b->dependencies().empty());
  graph->remove(b);
  CHECK(graph->nodes() == std::vector<Node*>{a, c});
  CHECK(graph->edges().size() == 1);
  const std::string dot = graph->dot(true);
  CHECK_THAT(dot, Catch::Contains("digraph") && Catch::Contains("host function") && Catch::Contains("->"));
}

TEST_CASE("a cycle can't be instantiated") {
  EngineBench bench;
  const auto graph = Graph::create(bench.engine);
  Node* a = graph->add({}, bench.note("a"));
  Node* b = graph->add(std::vector<Node*>{a}, bench.note("b"));
  graph->add_edges(std::vector<Node*>{b}, std::vector<Node*>{a});
  const auto made = GraphExec::instantiate(*graph);
  CHECK(made.exec == nullptr);
  CHECK(made.result == InstantiateResult::invalid_structure);
  CHECK((made.error_node == a || made.error_node == b));
}

TEST_CASE("clones stand on their own") {
  EngineBench bench;
  const auto graph = Graph::create(bench.engine);
  Node* a = graph->add({}, bench.note("a"));
  const auto inner = Graph::create(bench.engine);
  inner->add({}, bench.note("inner"));
  graph->add_child(std::vector<Node*>{a}, *inner);
  const auto clone = graph->clone();
  Node* twin = clone->find_clone(a);
  REQUIRE(twin != nullptr);
  CHECK(clone->find_clone(twin) == nullptr);
  clone->set_work(twin, bench.note("changed"));
  inner->add({}, bench.note("later"));
  const auto stream = bench.stream();
  stream->launch(*instantiate(*graph));
  stream->launch(*instantiate(*clone));
  stream->synchronize();
  CHECK(bench.notes() == std::vector<std::string>{"a", "inner", "changed", "inner"});
}

TEST_CASE("an instantiated graph takes new parameters, not a new shape") {
  for (const std::uint64_t seed : {0, 1, 2, 3, 4}) {
    EngineBench bench(seed);
    const auto build = [&](const std::string& first, const std::string& second, bool edge) {
      auto graph = Graph::create(bench.engine);
      Node* a = graph->add({}, bench.note(first));
      const std::vector<Node*> none;
      const std::vector<Node*> before{a};
      graph->add(edge ? before : none, bench.note(second));
      return graph;
    };
    const auto graph = build("a", "b", true);
    const auto exec = instantiate(*graph);
    const auto stream = bench.stream();
    stream->launch(*exec);
    CHECK(exec->update(*build("c", "d", true)).result == UpdateResult::success);
    stream->launch(*exec);
    const auto loose = build("e", "f", false);
    const auto update = exec->update(*loose);
    CHECK(update.result == UpdateResult::topology_changed);
    CHECK(update.error_node == loose->nodes()[1]);
    const auto larger = build("e", "f", true);
    Node* extra = larger->add({}, bench.note("g"));
    CHECK(exec->update(*larger).result == UpdateResult::topology_changed);
    CHECK(exec->update(*larger).error_node == extra);
    const auto other_kind = Graph::create(bench.engine);
    Node* a = other_kind->add({}, bench.note("a"));
    Node* b = other_kind->add(std::vector<Node*>{a}, set_work(bench.words(4, 0), 0, 4, 4));
    CHECK(exec->update(*other_kind).result == UpdateResult::node_type_changed);
    CHECK(exec->update(*other_kind).error_node == b);
    exec->set_work(graph->nodes()[1], bench.note("z"));
    stream->launch(*exec);
    CHECK(code_from([&] { exec->set_work(a, bench.note("y")); }) == Code::invalid_value);
    CHECK(code_from([&] { exec->set_work(graph->nodes()[0], set_work(0, 0, 4, 1)); }) == Code::invalid_value);
    CHECK(code_from([&] { exec->set_enabled(graph->nodes()[0], false); }) == Code::invalid_value);
    stream->synchronize();
    CHECK(bench.notes() == std::vector<std::string>{"a", "b", "c", "d", "c", "z"});
  }
}

TEST_CASE("nodes can be switched off, and children replaced") {
  EngineBench bench;
  const std::uint64_t x = bench.words(64, 1);
  const auto inner = Graph::create(bench.engine);
  inner->add({}, bench.kernel("bump", x, 0, 5));
  const auto graph = Graph::create(bench.engine);
  Node* bump = graph->add({}, bench.kernel("bump", x));
  Node* child = graph->add_child(std::vector<Node*>{bump}, *inner);
  const auto exec = instantiate(*graph);
  const auto stream = bench.stream();
  exec->set_enabled(bump, false);
  CHECK_FALSE(exec->enabled(bump));
  stream->launch(*exec);
  stream->synchronize();
  CHECK(bench.word(x) == 8);
  exec->set_enabled(bump, true);
  const auto replacement = Graph::create(bench.engine);
  replacement->add({}, bench.kernel("bump", x, 0, 7));
  exec->set_child(child, *replacement);
  stream->launch(*exec);
  stream->synchronize();
  CHECK(bench.word(x) == 25 * 3 + 7);
  // The node inside the child is known by the child's own graph.
  exec->set_work(child->child()->nodes()[0], bench.kernel("bump", x, 0, 0));
  exec->set_enabled(bump, false);
  stream->launch(*exec);
  stream->synchronize();
  CHECK(bench.word(x) == 82 * 3);
  replacement->add({}, bench.note("too much"));
  CHECK(code_from([&] { exec->set_child(child, *replacement); }) == Code::graph_exec_update_failure);
}

TEST_CASE("graphs record and await events of streams") {
  for (const std::uint64_t seed : {0, 1, 2, 3, 4}) {
    EngineBench bench(seed);
    const auto a = bench.stream();
    const auto b = bench.stream();
    const auto in = bench.context->create_event();
    const auto out = bench.context->create_event();
    const auto graph = Graph::create(bench.engine);
    Node* wait = graph->add_wait({}, in->state());
    Node* middle = graph->add(std::vector<Node*>{wait}, bench.note("graph"));
    graph->add_record(std::vector<Node*>{middle}, out->state());
    const auto exec = instantiate(*graph);
    a->submit(bench.note("a"));
    a->record(*in);
    b->launch(*exec);
    const auto c = bench.stream();
    c->wait(*out);
    c->submit(bench.note("c"));
    c->synchronize();
    CHECK(bench.notes() == std::vector<std::string>{"a", "graph", "c"});
  }
}

TEST_CASE("memory that a graph allocates lives between its nodes") {
  for (const std::uint64_t seed : {0, 1, 2, 3, 4}) {
    EngineBench bench(seed);
    const std::uint64_t y = bench.words(64, 0);
    const std::uint64_t before = bench.device.memory().allocations_in_use();
    {
      const auto graph = Graph::create(bench.engine);
      Node* memory = graph->add_allocation({}, 256);
      const std::uint64_t x = memory->address();
      CHECK(memory->bytes() == 256);
      Node* set = graph->add(std::vector<Node*>{memory}, set_work(x, 9, 4, 64));
      Node* copy = graph->add(std::vector<Node*>{set}, bench.kernel("copy", x, y));
      graph->add_free(std::vector<Node*>{copy}, x);
      CHECK(code_from([&] { graph->add_free({}, x); }) == Code::invalid_value);
      CHECK(code_from([&] { graph->clone(); }) == Code::not_supported);
      CHECK(code_from([&] { graph->remove(memory); }) == Code::not_supported);
      const auto exec = instantiate(*graph);
      const auto stream = bench.stream();
      for (int i = 0; i < 3; ++i) stream->launch(*exec);
      stream->synchronize();
      CHECK(bench.word(y) == 9);
      CHECK(bench.reports.empty());
      CHECK_FALSE(is_graph_memory(bench.engine, x));
    }
    CHECK(bench.device.memory().allocations_in_use() == before);
  }
}

TEST_CASE("memory that a graph leaves allocated must be freed before it is launched again") {
  EngineBench bench(2);
  const auto stream = bench.stream();
  std::uint64_t x = 0;
  {
    const auto graph = Graph::create(bench.engine);
    Node* memory = graph->add_allocation({}, 256);
    x = memory->address();
    graph->add(std::vector<Node*>{memory}, set_work(x, 9, 4, 64));
    const auto exec = instantiate(*graph);
    stream->launch(*exec);
    CHECK(is_graph_memory(bench.engine, x));
    CHECK(code_from([&] { stream->launch(*exec); }) == Code::invalid_value);
    stream->submit(graph_free_work(bench.engine, x));
    CHECK(code_from([&] { graph_free_work(bench.engine, x); }) == Code::invalid_value);
    stream->launch(*exec);
    const auto automatic = instantiate(*graph, true);
    stream->launch(*automatic);
    stream->launch(*automatic);
  }
  // It outlasts its graph.
  stream->synchronize();
  CHECK(bench.word(x) == 9);
  stream->submit(graph_free_work(bench.engine, x));
  stream->synchronize();
  CHECK(bench.reports.empty());
  CHECK(bench.device.memory().allocations_in_use() == 0);
}

TEST_CASE("memory of a graph that is used outside its life is reported") {
  EngineBench bench(0);
  const std::uint64_t y = bench.words(64, 0);
  const auto graph = Graph::create(bench.engine);
  Node* memory = graph->add_allocation({}, 256);
  graph->add_free(std::vector<Node*>{memory}, memory->address());
  const auto stream = bench.stream();
  stream->launch(*instantiate(*graph));
  stream->submit(bench.kernel("copy", memory->address(), y));
  CHECK(code_from([&] { stream->synchronize(); }) == Code::illegal_address);
  REQUIRE(bench.reports.size() == 1);
  CHECK(bench.reports[0].check == Check::use_after_free);
}

}  // namespace vgpu::engine
