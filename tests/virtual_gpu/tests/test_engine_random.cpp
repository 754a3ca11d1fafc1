// Random programs over streams, events and graphs, each judged twice: by the engine, and by the transitive closure of
// what orders its works. No race in the closure, no report; and with two streams, whose accesses the shadow can all
// remember, a report for every race.
#include <bitset>
#include <vector>

#include "engine_harness.h"

namespace vgpu::engine {
namespace {

constexpr std::size_t kMostWorks = 64;
using Works = std::bitset<kMostWorks>;

/// The rules of order, as the driver's manual tells them.
class Closure {
 public:
  Closure(std::size_t streams, std::size_t events) : after_(streams), events_(events), recorded_(events) {}

  /// Stream 0 is the default stream, 1 a non-blocking one, all others block.
  Works behind(std::size_t stream) const {
    Works set = after_[stream] | host_;
    for (std::size_t other = 0; other < after_.size(); ++other) {
      if (stream == 0 && other != 1) set |= after_[other];
      if (stream > 1 && other == 0) set |= after_[0];
    }
    return set;
  }
  void work(std::size_t stream, std::uint32_t reads, std::uint32_t writes) {
    const Works before = behind(stream);
    for (std::size_t i = 0; i < reads_.size(); ++i) {
      const bool conflict = ((writes_[i] & (reads | writes)) | (reads_[i] & writes)) != 0;
      races = races || (conflict && !before.test(i));
    }
    after_[stream] = before;
    after_[stream].set(reads_.size());
    reads_.push_back(reads);
    writes_.push_back(writes);
  }
  void record(std::size_t stream, std::size_t event) {
    events_[event] = after_[stream] = behind(stream);
    recorded_[event] = true;
  }
  void wait(std::size_t stream, std::size_t event) {
    if (recorded_[event]) after_[stream] = behind(stream) | events_[event];
  }
  void synchronize(std::size_t stream) { host_ |= stream == 0 ? behind(0) : after_[stream]; }
  void synchronize_event(std::size_t event) { host_ |= events_[event]; }

  bool races = false;

 private:
  std::vector<Works> after_;
  std::vector<Works> events_;
  std::vector<bool> recorded_;
  Works host_;
  std::vector<std::uint32_t> reads_;  ///< buffers, one bit each
  std::vector<std::uint32_t> writes_;
};

struct Outcome {
  bool races = false;
  bool reported = false;
  std::string report;
};

/// One random program of `steps` steps, run with the seed.
Outcome run_program(std::uint64_t program, std::uint64_t seed, std::size_t streams, int steps) {
  constexpr std::size_t kBuffers = 4, kEvents = 3;
  Numbers random(program);
  EngineBench bench(seed, 0, std::uint64_t{1} << 20);
  Closure closure(streams, kEvents);
  std::vector<std::shared_ptr<Stream>> made(streams);
  for (std::size_t s = 1; s < streams; ++s) made[s] = bench.stream(s == 1);
  const auto stream = [&](std::size_t s) -> Stream& { return s == 0 ? bench.context->legacy() : *made[s]; };
  std::vector<std::shared_ptr<Event>> events(kEvents);
  for (auto& event : events) event = bench.context->create_event();
  std::vector<std::uint64_t> buffers;
  for (std::size_t b = 0; b < kBuffers; ++b) buffers.push_back(bench.words(32, 1));
  const auto pick = [&](std::size_t count) { return static_cast<std::size_t>(random.integer(0, int(count) - 1)); };
  const Code code = code_from([&] {
    for (int step = 0; step < steps; ++step) {
      const std::size_t s = pick(streams), e = pick(kEvents), x = pick(kBuffers), y = pick(kBuffers);
      switch (random.integer(0, 9)) {
        case 0:
        case 1:
          stream(s).record(*events[e]);
          closure.record(s, e);
          break;
        case 2:
        case 3:
        case 4:
          stream(s).wait(*events[e]);
          closure.wait(s, e);
          break;
        case 5:
          if (random.integer(0, 2) == 0) {
            stream(s).synchronize();
            closure.synchronize(s);
          } else if (random.integer(0, 1) == 0) {
            events[e]->synchronize();
            closure.synchronize_event(e);
          }
          break;
        case 6:
          stream(s).submit(set_work(buffers[y], 7, 4, 32));
          closure.work(s, 0, 1u << y);
          break;
        case 7:
          stream(s).submit(copy_work({buffers[y]}, {buffers[x]}, 128));
          closure.work(s, 1u << x, 1u << y);
          break;
        default:
          stream(s).submit(bench.kernel(x == y ? "bump" : "copy", buffers[x], buffers[y], 1, false, 1));
          closure.work(s, 1u << x, 1u << y);
      }
    }
    bench.context->synchronize();
  });
  Outcome outcome;
  outcome.races = closure.races;
  outcome.reported = code != Code::success;
  REQUIRE(bench.reports.size() == (outcome.reported ? 1 : 0));
  REQUIRE(bench.errors.empty());
  if (outcome.reported) {
    REQUIRE(bench.reports[0].check == Check::stream_race);
    outcome.report = to_string(bench.reports[0]);
  }
  return outcome;
}

/// A random graph, launched in two streams; `sets_only`: without reads.
Outcome run_graph(std::uint64_t program, std::uint64_t seed, bool sets_only) {
  constexpr std::size_t kBuffers = 6;
  Numbers random(program);
  EngineBench bench(seed, 0, std::uint64_t{1} << 20);
  std::vector<std::uint64_t> buffers;
  for (std::size_t b = 0; b < kBuffers; ++b) buffers.push_back(bench.words(32, 1));
  const auto graph = Graph::create(bench.engine);
  Outcome outcome;
  std::vector<Node*> nodes;
  std::vector<Works> before;
  std::vector<std::uint32_t> reads, writes;
  const int count = random.integer(3, 10);
  for (int n = 0; n < count; ++n) {
    std::vector<Node*> dependencies;
    Works set;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (random.integer(0, 2) != 0) continue;
      dependencies.push_back(nodes[i]);
      set |= before[i];
      set.set(i);
    }
    const auto x = static_cast<std::size_t>(random.integer(0, kBuffers - 1));
    const auto y = static_cast<std::size_t>(random.integer(0, kBuffers - 1));
    const bool sets = sets_only || random.integer(0, 1) == 0;
    reads.push_back(sets ? 0 : 1u << x);
    writes.push_back(1u << y);
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      const bool conflict = ((writes[i] & (reads.back() | writes.back())) | (reads[i] & writes.back())) != 0;
      outcome.races = outcome.races || (conflict && !set.test(i));
    }
    nodes.push_back(
        graph->add(dependencies, sets ? set_work(buffers[y], 7, 4, 32)
                                      : bench.kernel(x == y ? "bump" : "copy", buffers[x], buffers[y], 1, false, 1)));
    before.push_back(set);
  }
  const auto exec = GraphExec::instantiate(*graph).exec;
  const auto a = bench.stream();
  const auto b = bench.stream();
  a->launch(*exec);
  b->launch(*exec);
  outcome.reported = code_from([&] { bench.context->synchronize(); }) != Code::success;
  if (outcome.reported) outcome.report = to_string(bench.reports.at(0));
  return outcome;
}

}  // namespace

TEST_CASE("random programs over two streams: a report if and only if there is a race") {
  int racing = 0, clean = 0;
  for (std::uint64_t program = 1; program <= 150; ++program) {
    for (const std::uint64_t seed : {0, 1, 2}) {
      const Outcome outcome = run_program(program, seed, 2, 3 + static_cast<int>(program % 12));
      CAPTURE(program, seed, outcome.report);
      REQUIRE(outcome.reported == outcome.races);
      ++(outcome.races ? racing : clean);
    }
  }
  CHECK(racing > 50);
  CHECK(clean > 50);
}

TEST_CASE("random programs over many streams: no report without a race") {
  int reported = 0, clean = 0;
  for (std::uint64_t program = 1; program <= 200; ++program) {
    const Outcome outcome = run_program(program, program % 5, 3 + program % 4, 4 + static_cast<int>(program % 14));
    CAPTURE(program, outcome.report);
    REQUIRE((outcome.races || !outcome.reported));
    ++(outcome.reported ? reported : clean);
  }
  CHECK(reported > 50);
  CHECK(clean > 20);
}

TEST_CASE("random graphs: no report without a race, and no race of writes without a report") {
  int racing = 0, clean = 0;
  for (std::uint64_t program = 1; program <= 200; ++program) {
    const bool sets_only = program % 2 == 0;
    const Outcome outcome = run_graph(program, program % 5, sets_only);
    CAPTURE(program, outcome.report);
    REQUIRE((outcome.races || !outcome.reported));
    if (sets_only) REQUIRE(outcome.reported == outcome.races);
    ++(outcome.races ? racing : clean);
  }
  CHECK(racing > 50);
  CHECK(clean > 20);
}

}  // namespace vgpu::engine
