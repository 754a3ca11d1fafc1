// Stream capture: forks and joins become edges; every way to break the rules has its code.
#include <thread>

#include "engine_harness.h"

namespace vgpu::engine {

TEST_CASE("a captured stream becomes a graph that can be launched many times") {
  for (const std::uint64_t seed : {0, 1, 2, 3, 4}) {
    EngineBench bench(seed);
    const auto stream = bench.stream();
    const std::uint64_t x = bench.words(64, 1);
    stream->begin_capture(CaptureMode::global);
    CHECK(stream->capture_status() == CaptureStatus::active);
    stream->submit(bench.kernel("bump", x));
    stream->submit(bench.kernel("bump", x, 0, 2));
    const CaptureInfo info = stream->capture_info();
    CHECK(info.dependencies.size() == 1);
    CHECK(info.graph->nodes().size() == 2);
    CHECK(info.id != 0);
    const auto graph = stream->end_capture();
    CHECK(stream->capture_status() == CaptureStatus::none);
    CHECK(graph == info.graph);
    REQUIRE(graph->edges().size() == 1);
    CHECK(bench.word(x) == 1);
    const auto exec = GraphExec::instantiate(*graph);
    REQUIRE(exec.exec != nullptr);
    stream->launch(*exec.exec);
    stream->launch(*exec.exec);
    stream->synchronize();
    CHECK(bench.word(x) == ((1 * 3 + 1) * 3 + 2) * 9 + 5);
    CHECK(bench.reports.empty());
  }
}

TEST_CASE("events fork and join a capture") {
  EngineBench bench;
  const auto a = bench.stream();
  const auto b = bench.stream();
  const auto fork = bench.context->create_event();
  const auto join = bench.context->create_event();
  a->begin_capture(CaptureMode::global);
  a->submit(bench.note("1"));
  a->record(*fork);
  b->wait(*fork);
  CHECK(b->capture_status() == CaptureStatus::active);
  CHECK(b->capture_info().id == a->capture_info().id);
  b->submit(bench.note("2"));
  a->submit(bench.note("3"));
  b->record(*join);
  a->wait(*join);
  CHECK(a->capture_info().dependencies.size() == 2);
  a->submit(bench.note("4"));
  const auto graph = a->end_capture();
  CHECK(b->capture_status() == CaptureStatus::none);
  REQUIRE(graph->nodes().size() == 4);
  CHECK(graph->roots().size() == 1);
  CHECK(graph->edges().size() == 4);
  CHECK(graph->nodes()[3]->dependencies().size() == 2);
  // Afterwards the events are no good in streams until they are recorded again.
  CHECK(code_from([&] { a->wait(*join); }) == Code::captured_event);
  CHECK(code_from([&] { join->synchronize(); }) == Code::captured_event);
  a->record(*join);
  b->wait(*join);
  b->synchronize();
}

TEST_CASE("a capture that was not joined again yields no graph") {
  EngineBench bench;
  const auto a = bench.stream();
  const auto b = bench.stream();
  const auto fork = bench.context->create_event();
  a->begin_capture(CaptureMode::global);
  a->record(*fork);
  b->wait(*fork);
  b->submit(bench.note("lost"));
  CHECK(code_from([&] { b->end_capture(); }) == Code::capture_unmatched);
  CHECK(code_from([&] { a->end_capture(); }) == Code::capture_unjoined);
  CHECK(a->capture_status() == CaptureStatus::none);
  CHECK(b->capture_status() == CaptureStatus::none);
  // A fork that did nothing needs no join.
  a->begin_capture(CaptureMode::global);
  a->submit(bench.note("x"));
  a->record(*fork);
  b->wait(*fork);
  CHECK(a->end_capture()->nodes().size() == 1);
}

TEST_CASE("what a captured stream can't do invalidates its capture") {
  EngineBench bench;
  const auto stream = bench.stream();
  const auto outside = bench.context->create_event();
  const auto other = bench.stream();
  other->record(*outside);
  const std::uint64_t x = bench.words(64, 1);
  const auto expect = [&](Code code, const std::function<void()>& call) {
    stream->begin_capture(CaptureMode::relaxed);
    stream->submit(bench.note("x"));
    CHECK(code_from(call) == code);
    CHECK(stream->capture_status() == CaptureStatus::invalidated);
    CHECK(code_from([&] { stream->submit(bench.note("y")); }) == Code::capture_invalidated);
    CHECK(code_from([&] { stream->end_capture(); }) == Code::capture_invalidated);
    CHECK(stream->capture_status() == CaptureStatus::none);
  };
  expect(Code::capture_unsupported, [&] { stream->synchronize(); });
  expect(Code::capture_unsupported, [&] { stream->query(); });
  expect(Code::capture_unsupported, [&] { stream->submit_and_wait(bench.kernel("bump", x)); });
  expect(Code::capture_unsupported, [&] { bench.context->synchronize(); });
  expect(Code::capture_isolation, [&] { stream->wait(*outside); });
  const auto inside = bench.context->create_event();
  expect(Code::captured_event, [&] {
    stream->record(*inside);
    inside->query();
  });
  expect(Code::capture_merge, [&] {
    other->begin_capture(CaptureMode::relaxed);
    other->record(*inside);
    stream->wait(*inside);
  });
  CHECK(code_from([&] { other->end_capture(); }) == Code::capture_invalidated);
  CHECK(code_from([&] { stream->end_capture(); }) == Code::illegal_state);
  CHECK(code_from([&] { stream->update_capture_dependencies({}, {}, true); }) == Code::illegal_state);
  CHECK(code_from([&] { bench.context->legacy().begin_capture(CaptureMode::global); }) == Code::capture_unsupported);
  stream->begin_capture(CaptureMode::global);
  CHECK(code_from([&] { stream->begin_capture(CaptureMode::global); }) == Code::illegal_state);
  CHECK(stream->end_capture()->nodes().empty());
  CHECK(code_from([&] { stream->record(*inside, true); }) == Code::invalid_value);
  CHECK(code_from([&] { stream->wait(*inside, true); }) == Code::invalid_value);
}

TEST_CASE("the default stream can't be used while a blocking stream is captured") {
  EngineBench bench;
  const auto blocking = bench.stream(false);
  const auto free = bench.stream(true);
  Stream& legacy = bench.context->legacy();
  free->begin_capture(CaptureMode::relaxed);
  legacy.submit(bench.note("fine"));
  CHECK(free->end_capture()->nodes().empty());
  blocking->begin_capture(CaptureMode::relaxed);
  CHECK(code_from([&] { static_cast<void>(legacy.capture_status()); }) == Code::capture_implicit);
  CHECK(blocking->capture_status() == CaptureStatus::active);
  CHECK(code_from([&] { legacy.submit(bench.note("x")); }) == Code::capture_implicit);
  CHECK(blocking->capture_status() == CaptureStatus::invalidated);
  CHECK(code_from([&] { blocking->end_capture(); }) == Code::capture_invalidated);
  legacy.synchronize();
}

TEST_CASE("the thread's mode decides which calls a capture forbids") {
  EngineBench bench;
  const auto stream = bench.stream();
  const auto forbidden_here = [&](CaptureMode begun, CaptureMode mine) {
    stream->begin_capture(begun);
    const CaptureMode before = exchange_thread_capture_mode(mine);
    const Code code = code_from([] { guard_unsafe_call(); });
    exchange_thread_capture_mode(before);
    const bool ended_well = code_from([&] { stream->end_capture(); }) == Code::success;
    CHECK((code == Code::success) == ended_well);
    return code == Code::capture_unsupported;
  };
  const auto forbidden_elsewhere = [&](CaptureMode begun, CaptureMode mine) {
    stream->begin_capture(begun);
    Code code = Code::success;
    std::thread([&] {
      exchange_thread_capture_mode(mine);
      code = code_from([] { guard_unsafe_call(); });
    }).join();
    code_from([&] { stream->end_capture(); });
    return code == Code::capture_unsupported;
  };
  CHECK(forbidden_here(CaptureMode::global, CaptureMode::global));
  CHECK(forbidden_here(CaptureMode::global, CaptureMode::thread_local_));
  CHECK_FALSE(forbidden_here(CaptureMode::global, CaptureMode::relaxed));
  CHECK(forbidden_here(CaptureMode::thread_local_, CaptureMode::global));
  CHECK_FALSE(forbidden_here(CaptureMode::relaxed, CaptureMode::global));
  CHECK(forbidden_elsewhere(CaptureMode::global, CaptureMode::global));
  CHECK_FALSE(forbidden_elsewhere(CaptureMode::global, CaptureMode::thread_local_));
  CHECK_FALSE(forbidden_elsewhere(CaptureMode::thread_local_, CaptureMode::global));
  guard_unsafe_call();
}

TEST_CASE("only the thread that began a capture ends it, unless it is relaxed") {
  EngineBench bench;
  const auto stream = bench.stream();
  const auto end_elsewhere = [&] {
    Code code = Code::success;
    std::thread([&] { code = code_from([&] { stream->end_capture(); }); }).join();
    return code;
  };
  stream->begin_capture(CaptureMode::thread_local_);
  CHECK(end_elsewhere() == Code::capture_wrong_thread);
  CHECK(stream->capture_status() == CaptureStatus::active);
  stream->end_capture();
  stream->begin_capture(CaptureMode::relaxed);
  CHECK(end_elsewhere() == Code::success);
}

TEST_CASE("captures go into graphs that exist, with dependencies that can be changed") {
  EngineBench bench;
  const auto stream = bench.stream();
  const auto graph = Graph::create(bench.engine);
  Node* first = graph->add({}, bench.note("first"));
  Node* second = graph->add({}, bench.note("second"));
  const std::vector<Node*> start{first};
  stream->begin_capture_to(graph, start, {}, CaptureMode::global);
  stream->submit(bench.note("third"));
  const std::vector<Node*> more{second};
  stream->update_capture_dependencies(more, {}, false);
  stream->submit(bench.note("fourth"));
  stream->update_capture_dependencies(start, {}, true);
  CHECK(stream->capture_info().dependencies == start);
  CHECK(stream->end_capture() == graph);
  const std::vector<Node*> nodes = graph->nodes();
  REQUIRE(nodes.size() == 4);
  CHECK(nodes[2]->dependencies().size() == 1);
  CHECK(nodes[3]->dependencies().size() == 2);
  const auto another = Graph::create(bench.engine);
  CHECK(code_from([&] { stream->begin_capture_to(another, start, {}, CaptureMode::global); }) == Code::invalid_value);
}

TEST_CASE("external events, allocations and launched graphs become nodes") {
  EngineBench bench;
  const auto stream = bench.stream();
  const auto event = bench.context->create_event();
  const auto inner_graph = Graph::create(bench.engine);
  inner_graph->add({}, bench.note("inner"));
  const auto inner = GraphExec::instantiate(*inner_graph).exec;
  stream->begin_capture(CaptureMode::global);
  stream->wait(*event, true);
  const std::uint64_t memory = stream->capture_allocation(256);
  CHECK(memory != 0);
  stream->submit(set_work(memory, 3, 4, 64));
  stream->capture_free(memory);
  CHECK(code_from([&] { stream->capture_free(bench.words(1, 0)); }) == Code::invalid_value);
  stream->launch(*inner);
  stream->record(*event, true);
  const auto graph = stream->end_capture();
  std::vector<WorkKind> kinds;
  for (const Node* node : graph->nodes()) kinds.push_back(node->kind());
  CHECK(kinds == std::vector<WorkKind>{WorkKind::wait_event, WorkKind::allocate, WorkKind::set, WorkKind::release,
                                       WorkKind::child_graph, WorkKind::record_event});
  const auto exec = GraphExec::instantiate(*graph).exec;
  stream->launch(*exec);
  CHECK_FALSE(event->query());
  event->synchronize();
  CHECK(bench.notes() == std::vector<std::string>{"inner"});
  CHECK(bench.reports.empty());
}

TEST_CASE("a destroyed stream takes its capture along") {
  EngineBench bench;
  const auto a = bench.stream();
  const auto fork = bench.context->create_event();
  a->begin_capture(CaptureMode::global);
  a->record(*fork);
  {
    const auto b = bench.stream();
    b->wait(*fork);
  }
  CHECK(code_from([&] { a->end_capture(); }) == Code::capture_invalidated);
  {
    const auto c = bench.stream();
    c->begin_capture(CaptureMode::global);
  }
  guard_unsafe_call();
}

}  // namespace vgpu::engine
