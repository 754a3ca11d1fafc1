// Streams and events: order only where streams and events make it, late execution, host functions, errors, threads.
#include <algorithm>
#include <atomic>
#include <set>
#include <thread>

#include "engine_harness.h"

namespace vgpu::engine {
namespace {

std::size_t position(const std::vector<std::string>& list, const std::string& name) {
  return static_cast<std::size_t>(std::find(list.begin(), list.end(), name) - list.begin());
}

}  // namespace

TEST_CASE("work runs late: when somebody waits for it, and not before") {
  for (const std::uint64_t seed : {0, 1, 2, 3, 4}) {
    EngineBench bench(seed);
    const std::uint64_t x = bench.words(64, 7);
    const auto stream = bench.stream();
    stream->submit(bench.kernel("bump", x));
    CHECK(bench.word(x) == 7);
    CHECK_FALSE(stream->query());
    CHECK(stream->query());
    CHECK(bench.word(x) == 22);
    stream->submit(bench.kernel("bump", x));
    CHECK(bench.word(x) == 22);
    stream->synchronize();
    CHECK(bench.word(x) == 67);
    CHECK(bench.reports.empty());
  }
}

TEST_CASE("streams keep their order, events add order, and seeds shuffle the rest") {
  std::set<std::vector<std::string>> orders;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    EngineBench bench(seed);
    const auto a = bench.stream();
    const auto b = bench.stream();
    const auto event = bench.context->create_event();
    a->submit(bench.note("a1"));
    a->submit(bench.note("a2"));
    a->record(*event);
    a->submit(bench.note("a3"));
    b->submit(bench.note("b1"));
    b->wait(*event);
    b->submit(bench.note("b2"));
    bench.context->synchronize();
    const std::vector<std::string> ran = bench.notes();
    REQUIRE(ran.size() == 5);
    CHECK(position(ran, "a1") < position(ran, "a2"));
    CHECK(position(ran, "a2") < position(ran, "a3"));
    CHECK(position(ran, "b1") < position(ran, "b2"));
    CHECK(position(ran, "a2") < position(ran, "b2"));
    orders.insert(ran);
    // The same seed gives the same order again.
    EngineBench again(seed);
    const auto c = again.stream();
    const auto d = again.stream();
    const auto other = again.context->create_event();
    c->submit(again.note("a1"));
    c->submit(again.note("a2"));
    c->record(*other);
    c->submit(again.note("a3"));
    d->submit(again.note("b1"));
    d->wait(*other);
    d->submit(again.note("b2"));
    again.context->synchronize();
    CHECK(again.notes() == ran);
  }
  CHECK(orders.size() >= 4);
}

TEST_CASE("waiting for one stream may or may not run another's work") {
  std::set<std::size_t> ran;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    EngineBench bench(seed);
    const auto a = bench.stream();
    const auto b = bench.stream();
    a->submit(bench.note("a"));
    b->submit(bench.note("b"));
    b->synchronize();
    ran.insert(bench.notes().size());
  }
  CHECK(ran == std::set<std::size_t>{1, 2});
}

TEST_CASE("the default stream is ordered with blocking streams only") {
  bool overtaken = false;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    EngineBench bench(seed);
    const auto blocking = bench.stream(false);
    const auto free = bench.stream(true);
    const auto mine = bench.context->per_thread();
    CHECK(mine == bench.context->per_thread());
    blocking->submit(bench.note("blocking 1"));
    mine->submit(bench.note("mine 1"));
    free->submit(bench.note("free"));
    bench.context->legacy().submit(bench.note("legacy"));
    blocking->submit(bench.note("blocking 2"));
    mine->submit(bench.note("mine 2"));
    bench.context->synchronize();
    const std::vector<std::string> ran = bench.notes();
    REQUIRE(ran.size() == 6);
    for (const char* name : {"blocking 1", "mine 1"}) CHECK(position(ran, name) < position(ran, "legacy"));
    for (const char* name : {"blocking 2", "mine 2"}) CHECK(position(ran, "legacy") < position(ran, name));
    overtaken = overtaken || position(ran, "legacy") < position(ran, "free");
  }
  CHECK(overtaken);
}

TEST_CASE("work of a destroyed stream runs, and the default stream waits for it") {
  EngineBench bench(3);
  {
    const auto stream = bench.stream(false);
    stream->submit(bench.note("a"));
  }
  bench.context->legacy().submit(bench.note("b"));
  bench.context->legacy().synchronize();
  CHECK(bench.notes() == std::vector<std::string>{"a", "b"});
}

TEST_CASE("events: queries, waits, times") {
  EngineBench bench(1);
  const auto stream = bench.stream();
  const auto start = bench.context->create_event();
  const auto end = bench.context->create_event();
  const auto untimed = bench.context->create_event(false);
  CHECK(start->query());
  start->synchronize();
  CHECK(code_from([&] { Event::elapsed_ms(*start, *end); }) == Code::invalid_handle);
  const std::uint64_t x = bench.words(64, 1);
  stream->record(*start);
  stream->submit(bench.kernel("bump", x));
  stream->record(*end);
  CHECK(code_from([&] { Event::elapsed_ms(*start, *end); }) == Code::not_ready);
  CHECK_FALSE(end->query());
  end->synchronize();
  CHECK(end->query());
  CHECK(bench.word(x) == 4);
  CHECK(Event::elapsed_ms(*start, *end) > 0);
  stream->record(*untimed);
  untimed->synchronize();
  CHECK(code_from([&] { Event::elapsed_ms(*start, *untimed); }) == Code::invalid_handle);
  const auto other = bench.engine.create_context();
  const auto foreign = other->create_event();
  CHECK(code_from([&] { stream->record(*foreign); }) == Code::invalid_handle);
}

TEST_CASE("an event recorded again keeps earlier waits") {
  for (const std::uint64_t seed : {0, 1, 2, 3, 4}) {
    EngineBench bench(seed);
    const auto a = bench.stream();
    const auto b = bench.stream();
    const auto event = bench.context->create_event();
    a->submit(bench.note("first"));
    a->record(*event);
    b->wait(*event);
    b->submit(bench.note("second"));
    a->submit(bench.note("third"));
    a->record(*event);
    b->synchronize();
    const auto ran = bench.notes();
    CHECK(position(ran, "first") < position(ran, "second"));
    event->synchronize();
    CHECK(bench.notes().size() == 3);
  }
}

TEST_CASE("host functions know that they are, and other threads go on meanwhile") {
  EngineBench bench(0);
  const auto a = bench.stream();
  const auto b = bench.stream();
  bool inside = false;
  std::atomic<bool> started{false};
  std::atomic<bool> released{false};
  a->submit(host_work([&] {
    inside = Engine::in_host_function();
    started = true;
    while (!released) std::this_thread::yield();
  }));
  std::thread other([&] {
    while (!started) std::this_thread::yield();
    const std::uint64_t x = bench.words(64, 1);
    b->submit(bench.kernel("bump", x));
    b->synchronize();
    released = bench.word(x) == 4;
  });
  a->synchronize();
  other.join();
  CHECK(inside);
  CHECK_FALSE(Engine::in_host_function());
}

TEST_CASE("the engine runs what is left when the host makes no calls") {
  EngineBench bench(0, 5);
  const auto stream = bench.stream();
  std::atomic<int> flag{0};
  stream->submit(host_work([&] { flag = 1; }));
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (flag == 0 && std::chrono::steady_clock::now() < limit) std::this_thread::yield();
  CHECK(flag == 1);
}

TEST_CASE("a fault is sticky for its context and ends what is pending there") {
  EngineBench bench(0);
  const auto stream = bench.stream();
  const std::uint64_t x = bench.words(64, 1);
  stream->submit(bench.kernel("fault", x, x));
  stream->submit(bench.note("never"));
  CHECK(code_from([&] { stream->synchronize(); }) == Code::illegal_address);
  CHECK(code_from([&] { stream->submit(bench.note("never")); }) == Code::illegal_address);
  CHECK(code_from([&] { bench.context->check(); }) == Code::illegal_address);
  CHECK(bench.notes().empty());
  REQUIRE(bench.reports.size() == 1);
  CHECK(bench.reports[0].check == Check::out_of_bounds);
  CHECK(bench.reports[0].where == "stream " + std::to_string(stream->id()));
  const auto other = bench.engine.create_context();
  const auto sound = other->create_stream(true);
  sound->submit(bench.note("sound"));
  sound->synchronize();
  CHECK(bench.notes() == std::vector<std::string>{"sound"});
  bench.engine.lose_device(Code::device_unavailable, "the test asked for it");
  CHECK(code_from([&] { sound->synchronize(); }) == Code::device_unavailable);
  CHECK(code_from([&] { bench.engine.create_context(); }) == Code::device_unavailable);
  CHECK(bench.errors.size() == 1);
}

TEST_CASE("copies and sets move data, two-dimensional ones row by row, and are checked") {
  EngineBench bench(2);
  const auto stream = bench.stream();
  const std::uint64_t x = bench.allocate(64);
  const std::uint64_t y = bench.allocate(64);
  std::vector<std::uint32_t> host(64);
  for (std::uint32_t i = 0; i < 64; ++i) host[i] = i;
  stream->submit(copy_work({x}, {reinterpret_cast<std::uint64_t>(host.data()), 0, false}, 256));
  stream->submit(set_work(y, 0xabcd, 2, 128));
  // 3 rows of 8 bytes, pitches of 64 and 32 bytes.
  stream->submit(copy_work({y + 4, 32}, {x, 64}, 8, 3));
  std::vector<std::uint32_t> back(64);
  stream->submit_and_wait(copy_work({reinterpret_cast<std::uint64_t>(back.data()), 0, false}, {y}, 256));
  for (std::uint32_t i = 0; i < 64; ++i) {
    const std::uint32_t row = i / 8;
    const std::uint32_t column = i % 8;
    const bool copied = row < 3 && (column == 1 || column == 2);
    CAPTURE(i);
    CHECK(back[i] == (copied ? 16 * row + column - 1 : 0xabcdabcdu));
  }
  CHECK(code_from([&] { set_work(y, 0, 8, 1); }) == Code::invalid_value);
  CHECK(code_from([&] { stream->submit_and_wait(copy_work({y + 4}, {x}, 256)); }) == Code::illegal_address);
  REQUIRE(bench.reports.size() == 1);
  CHECK(bench.reports[0].check == Check::out_of_bounds);
  CHECK_THAT(bench.reports[0].kernel, Catch::StartsWith("copy of 256 bytes from device to device in stream"));
}

TEST_CASE("streams wait for words of memory that others write") {
  for (const std::uint64_t seed : {0, 1, 2, 3, 4}) {
    EngineBench bench(seed);
    const auto a = bench.stream();
    const auto b = bench.stream();
    const std::uint64_t flag = bench.words(1, 0);
    b->submit(wait_value_work(flag, 5, 4, Wait::geq));
    b->submit(bench.note("after"));
    a->submit(bench.note("before"));
    a->submit(write_value_work(flag, 5, 4));
    bench.context->synchronize();
    CHECK(bench.notes() == std::vector<std::string>{"before", "after"});
    b->submit(wait_value_work(flag, 5, 4, Wait::eq));
    b->submit(wait_value_work(flag, 4, 4, Wait::bits_and));
    b->submit(wait_value_work(flag, 4, 4, Wait::nor));
    b->synchronize();
    CHECK(bench.reports.empty());
    CHECK(code_from([&] { write_value_work(flag + 2, 0, 4); }) == Code::invalid_value);
  }
}

TEST_CASE("a stream that waits for a word that nothing writes is reported") {
  EngineBench bench;
  Options options;
  options.value_wait_ms = 20;
  std::vector<Report> reports;
  options.on_report = [&](const Report& report) { reports.push_back(report); };
  Engine engine(bench.device, options);
  const auto context = engine.create_context();
  const auto stream = context->create_stream(true);
  stream->submit(wait_value_work(bench.words(1, 0), 1, 4, Wait::eq));
  CHECK(code_from([&] { stream->synchronize(); }) == Code::launch_failed);
  REQUIRE(reports.size() == 1);
  CHECK(reports[0].check == Check::deadlock);
}

TEST_CASE("a kernel that waits for another stream's kernel is a deadlock where that comes later") {
  EngineBench bench(0);
  const auto a = bench.stream();
  const auto b = bench.stream();
  const std::uint64_t flag = bench.words(64, 0);
  b->submit(bench.kernel("raise", flag, flag));
  b->submit(bench.kernel("poll", flag, flag, 1, false, 1));
  b->synchronize();
  const std::uint64_t later = bench.words(64, 0);
  a->submit(bench.kernel("poll", later, later, 1, false, 1));
  b->submit(bench.kernel("raise", later, later));
  CHECK(code_from([&] { bench.context->synchronize(); }) == Code::launch_failed);
  REQUIRE(bench.reports.size() == 1);
  CHECK(bench.reports[0].check == Check::deadlock);
}

TEST_CASE("an engine can be drained without the host knowing") {
  EngineBench bench(0);
  const auto a = bench.stream();
  a->submit(bench.note("a"));
  bench.engine.drain();
  CHECK(bench.notes().size() == 1);
}

TEST_CASE("host threads with streams of their own share the device") {
  EngineBench bench(1, 5);
  constexpr int kThreads = 4;
  std::vector<std::uint64_t> data;
  for (int t = 0; t < kThreads; ++t) data.push_back(bench.words(64, 1));
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      const auto stream = bench.context->create_stream(true);
      const auto event = bench.context->create_event();
      std::uint32_t expected = 1;
      for (int i = 0; i < 25; ++i) {
        stream->submit(bench.kernel("bump", data[t]));
        expected = expected * 3 + 1;
        if (i % 3 == 0) {
          stream->synchronize();
          if (bench.word(data[t]) != expected) ++wrong;
        } else if (i % 3 == 1) {
          stream->record(*event);
          while (!event->query()) std::this_thread::yield();
          if (bench.word(data[t]) != expected) ++wrong;
        }
      }
      stream->synchronize();
      if (bench.word(data[t]) != expected) ++wrong;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(bench.reports.empty());
}

TEST_CASE("a destroyed context drops its work") {
  EngineBench bench(0);
  const auto stream = bench.stream();
  stream->submit(bench.note("never"));
  bench.context->destroy();
  CHECK(bench.notes().empty());
  CHECK(code_from([&] { stream->query(); }) == Code::context_is_destroyed);
}

}  // namespace vgpu::engine
