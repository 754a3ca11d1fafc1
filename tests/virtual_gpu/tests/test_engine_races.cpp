// Races between streams: planted ones are found at every seed with both works named; the same programs with the missing
// order put in are clean, and so are right programs of every kind that the driver's interface allows.
#include <functional>
#include <thread>

#include "engine_harness.h"

namespace vgpu::engine {
namespace {

constexpr std::uint64_t kSeeds[] = {0, 1, 2, 3, 4};

/// Runs a program that races at each seed, and the same with the order that it lacks.
void find_race(const std::function<void(EngineBench&, bool ordered)>& program, const std::string& one,
               const std::string& other) {
  for (const std::uint64_t seed : kSeeds) {
    CAPTURE(seed, one, other);
    {
      EngineBench bench(seed);
      const Code code = code_from([&] {
        program(bench, false);
        bench.context->synchronize();
      });
      CHECK(code == Code::launch_failed);
      REQUIRE(bench.reports.size() == 1);
      const Report& report = bench.reports[0];
      CHECK(report.check == Check::stream_race);
      const std::string text = to_string(report);
      CAPTURE(text);
      CHECK_THAT(text, Catch::Contains(one) && Catch::Contains(other));
      CHECK_FALSE(report.other_work.empty());
    }
    EngineBench bench(seed);
    program(bench, true);
    bench.context->synchronize();
    if (!bench.reports.empty()) FAIL(to_string(bench.reports[0]));
  }
}

/// Runs a right program at each seed.
void expect_clean(const std::function<void(EngineBench&)>& program) {
  for (const std::uint64_t seed : kSeeds) {
    CAPTURE(seed);
    EngineBench bench(seed);
    program(bench);
    bench.context->synchronize();
    if (!bench.reports.empty()) FAIL(to_string(bench.reports[0]));
    CHECK(bench.errors.empty());
  }
}

/// Orders what follows in `to` after what is in `from`.
void order(EngineBench& bench, Stream& from, Stream& to) {
  const auto event = bench.context->create_event();
  from.record(*event);
  to.wait(*event);
}

}  // namespace

TEST_CASE("a kernel and a copy race where no event orders them") {
  find_race(
      [](EngineBench& bench, bool ordered) {
        const auto a = bench.stream();
        const auto b = bench.stream();
        const std::uint64_t x = bench.words(64, 1);
        a->submit(bench.kernel("bump", x));
        if (ordered) order(bench, *a, *b);
        std::vector<std::uint32_t> back(64);
        b->submit(copy_work({reinterpret_cast<std::uint64_t>(back.data()), 0, false}, {x}, 256));
        b->synchronize();
        a->synchronize();
      },
      "kernel bump", "copy of 256 bytes from device to host");
}

TEST_CASE("two kernels race, whichever runs first; both lines are named") {
  find_race(
      [](EngineBench& bench, bool ordered) {
        const auto a = bench.stream();
        const auto b = bench.stream();
        const std::uint64_t x = bench.words(64, 1);
        const std::uint64_t y = bench.words(64, 1);
        a->submit(bench.kernel("store", 0, x, 3));
        if (ordered) order(bench, *a, *b);
        b->submit(bench.kernel("copy", x, y));
      },
      "kernel store", "kernel copy");
  EngineBench bench(0);
  const auto a = bench.stream();
  const auto b = bench.stream();
  const std::uint64_t x = bench.words(64, 1);
  a->submit(bench.kernel("store", 0, x, 3));
  b->submit(bench.kernel("bump", x));
  CHECK(code_from([&] { bench.context->synchronize(); }) == Code::launch_failed);
  REQUIRE(bench.reports.size() == 1);
  const Report& report = bench.reports[0];
  CHECK(report.kernel == "bump");
  CHECK(report.where == "stream " + std::to_string(b->id()));
  CHECK(report.other_work == "kernel store in stream " + std::to_string(a->id()));
  CHECK_THAT(report.ptx_text, Catch::Contains("ld.global.u32"));
  CHECK_THAT(report.other_ptx_text, Catch::Contains("st.global.u32"));
}

TEST_CASE("an update in place races with a reader that ran before it") {
  // The update's own read must not hide the other reader.
  find_race(
      [](EngineBench& bench, bool ordered) {
        const auto a = bench.stream();
        const auto b = bench.stream();
        const std::uint64_t x = bench.words(64, 1);
        const std::uint64_t y = bench.words(64, 1);
        a->submit(bench.kernel("copy", x, y));
        if (ordered) order(bench, *a, *b);
        b->submit(bench.kernel("bump", x));
      },
      "kernel copy", "kernel bump");
}

TEST_CASE("a set and a synchronous copy race with a non-blocking stream") {
  find_race(
      [](EngineBench& bench, bool ordered) {
        const auto a = bench.stream(!ordered);
        const std::uint64_t x = bench.words(64, 1);
        const std::uint64_t y = bench.words(64, 1);
        a->submit(bench.kernel("copy", x, y));
        // Ordered after blocking streams only.
        bench.context->legacy().submit(set_work(x, 0, 4, 64));
      },
      "kernel copy", "set of 256 bytes");
  find_race(
      [](EngineBench& bench, bool ordered) {
        const auto a = bench.stream(!ordered);
        const std::uint64_t x = bench.words(64, 1);
        const std::uint64_t y = bench.words(64, 1);
        a->submit(bench.kernel("bump", x, y));
        bench.context->legacy().submit_and_wait(copy_work(x, std::vector<std::uint8_t>(256)));
      },
      "kernel bump", "copy of 256 bytes from host to device");
}

TEST_CASE("waiting for the wrong event leaves a race") {
  find_race(
      [](EngineBench& bench, bool ordered) {
        const auto a = bench.stream();
        const auto b = bench.stream();
        const std::uint64_t x = bench.words(64, 1);
        const std::uint64_t y = bench.words(64, 1);
        const auto event = bench.context->create_event();
        a->submit(bench.kernel("bump", y));
        if (!ordered) a->record(*event);
        a->submit(bench.kernel("bump", x));
        if (ordered) a->record(*event);
        b->wait(*event);
        b->submit(bench.kernel("copy", x, y));
      },
      "kernel bump", "kernel copy");
}

TEST_CASE("the host orders work only by waiting for it") {
  find_race(
      [](EngineBench& bench, bool ordered) {
        const auto a = bench.stream();
        const auto b = bench.stream();
        const auto c = bench.stream();
        const std::uint64_t x = bench.words(64, 1);
        const std::uint64_t y = bench.words(64, 1);
        a->submit(bench.kernel("bump", x));
        (ordered ? a : c)->synchronize();
        b->submit(bench.kernel("copy", x, y));
      },
      "kernel bump", "kernel copy");
}

TEST_CASE("memory given by a stream is used in another") {
  find_race(
      [](EngineBench& bench, bool ordered) {
        const auto a = bench.stream();
        const auto b = bench.stream();
        const std::uint64_t x = bench.allocate(64);
        a->submit(allocate_work(x, 256));
        if (ordered) order(bench, *a, *b);
        b->submit(bench.kernel("store", 0, x, 3));
      },
      "allocation of 256 bytes", "kernel store");
}

TEST_CASE("memory is freed in one stream while another uses it") {
  for (const std::uint64_t seed : kSeeds) {
    CAPTURE(seed);
    for (const bool ordered : {false, true}) {
      EngineBench bench(seed);
      const auto a = bench.stream();
      const auto b = bench.stream();
      const std::uint64_t x = bench.words(64, 1);
      const std::uint64_t y = bench.words(64, 1);
      a->submit(bench.kernel("copy", x, y));
      if (ordered) order(bench, *a, *b);
      b->submit(release_work(x, 256, [&bench, x] { bench.device.memory().release(x); }));
      const Code code = code_from([&] { bench.context->synchronize(); });
      if (ordered) {
        CHECK(code == Code::success);
        CHECK(bench.reports.empty());
      } else {
        // Whichever runs first: the free races with the kernel, or the kernel reads what is gone.
        REQUIRE(bench.reports.size() == 1);
        const Check check = bench.reports[0].check;
        CHECK((check == Check::stream_race || check == Check::use_after_free));
        CHECK_THAT(to_string(bench.reports[0]), Catch::Contains("kernel copy"));
      }
    }
  }
}

TEST_CASE("memory is freed by the host with work pending that uses it") {
  for (const std::uint64_t seed : kSeeds) {
    CAPTURE(seed);
    for (const bool waited : {false, true}) {
      EngineBench bench(seed);
      const auto a = bench.stream();
      const std::uint64_t x = bench.words(64, 1);
      const std::uint64_t y = bench.words(64, 1);
      const std::uint64_t z = bench.words(64, 1);
      a->submit(bench.kernel("copy", x, y));
      if (waited) a->synchronize();
      const auto release = [&](std::uint64_t address) {
        bench.engine.free_now(*bench.context, address, 256, "free of 256 bytes",
                              [&] { bench.device.memory().release(address); });
      };
      release(z);
      const Code code = code_from([&] { release(x); });
      CHECK(code == (waited ? Code::success : Code::launch_failed));
      CHECK(bench.device.memory().covers(x, 256) == !waited);
      REQUIRE(bench.reports.size() == (waited ? 0 : 1));
      if (waited) continue;
      CHECK(bench.reports[0].check == Check::stream_race);
      CHECK_THAT(to_string(bench.reports[0]), Catch::Contains("free of 256 bytes") && Catch::Contains("kernel copy"));
    }
  }
}

TEST_CASE("nodes of a graph race where no edge joins them") {
  find_race(
      [](EngineBench& bench, bool ordered) {
        const std::uint64_t x = bench.words(64, 1);
        const std::uint64_t y = bench.words(64, 1);
        const auto graph = Graph::create(bench.engine);
        Node* bump = graph->add({}, bench.kernel("bump", x));
        const std::vector<Node*> none;
        const std::vector<Node*> before{bump};
        graph->add(ordered ? before : none, bench.kernel("copy", x, y));
        const auto exec = GraphExec::instantiate(*graph).exec;
        const auto stream = bench.stream();
        stream->launch(*exec);
        stream->launch(*exec);
      },
      "kernel bump", "kernel copy");
}

TEST_CASE("a dependent launch races until it waits") {
  for (const bool graph : {false, true}) {
    for (const std::uint64_t seed : kSeeds) {
      for (const char* entry : {"early_copy", "late_copy"}) {
        CAPTURE(graph, seed, entry);
        EngineBench bench(seed);
        const auto stream = bench.stream();
        const std::uint64_t x = bench.words(64, 1);
        const std::uint64_t y = bench.words(64, 1);
        const std::uint64_t z = bench.words(64, 1);
        if (graph) stream->begin_capture(CaptureMode::global);
        stream->submit(bench.kernel("releasing_bump", x));
        stream->submit(bench.kernel(entry, x, y, 1, true));
        stream->submit(bench.kernel("copy", x, z));
        if (graph) {
          const auto captured = stream->end_capture();
          REQUIRE(captured->edges().size() == 2);
          CHECK(captured->edges()[0].data == EdgeData{1, 0, 1});
          const auto exec = GraphExec::instantiate(*captured).exec;
          stream->launch(*exec);
        }
        const Code code = code_from([&] { stream->synchronize(); });
        if (std::string(entry) == "late_copy") {
          CHECK(code == Code::success);
          CHECK(bench.word(y) == 4);
          CHECK(bench.word(z) == 4);
        } else {
          CHECK(code == Code::launch_failed);
          REQUIRE(bench.reports.size() == 1);
          CHECK(bench.reports[0].check == Check::stream_race);
          CHECK_THAT(to_string(bench.reports[0]),
                     Catch::Contains("early_copy") && Catch::Contains("kernel releasing_bump"));
        }
      }
    }
  }
}

TEST_CASE("a dependent launch may start before what its predecessor waits for has ended") {
  find_race(
      [](EngineBench& bench, bool ordered) {
        const auto stream = bench.stream();
        const std::uint64_t x = bench.words(64, 1);
        const std::uint64_t y = bench.words(64, 1);
        stream->submit(bench.kernel("releasing_bump", x));
        stream->submit(bench.kernel(ordered ? "late_release" : "early_release", x, x, 1, true));
        stream->submit(bench.kernel("early_copy", x, y, 1, true));
      },
      "kernel releasing_bump", "kernel early_copy");
}

TEST_CASE("right programs are clean: a dependent launch of a kernel that lets none start early") {
  expect_clean([](EngineBench& bench) {
    const auto stream = bench.stream();
    const std::uint64_t x = bench.words(64, 1);
    const std::uint64_t y = bench.words(64, 1);
    stream->submit(bench.kernel("bump", x));
    stream->submit(bench.kernel("early_copy", x, y, 1, true));
  });
}

TEST_CASE("right programs are clean: joins, diamonds, ping-pong between streams") {
  expect_clean([](EngineBench& bench) {
    const auto a = bench.stream();
    const auto b = bench.stream();
    const auto c = bench.stream(false);
    const std::uint64_t x = bench.words(64, 1);
    const std::uint64_t y = bench.words(64, 1);
    const std::uint64_t z = bench.words(64, 1);
    for (int i = 0; i < 5; ++i) {
      a->submit(bench.kernel("bump", x));
      order(bench, *a, *b);
      order(bench, *a, *c);
      // Both read x; each writes its own.
      b->submit(bench.kernel("copy", x, y));
      c->submit(bench.kernel("copy", x, z));
      order(bench, *b, *a);
      order(bench, *c, *a);
    }
    a->synchronize();
    CHECK(bench.word(z) == bench.word(x));
  });
}

TEST_CASE("right programs are clean: the default stream in the middle, atomics, words that streams wait for") {
  expect_clean([](EngineBench& bench) {
    const auto a = bench.stream(false);
    const auto b = bench.stream(false);
    const auto free = bench.stream(true);
    const std::uint64_t x = bench.words(64, 1);
    const std::uint64_t y = bench.words(64, 1);
    const std::uint64_t counter = bench.words(1, 0);
    const std::uint64_t flag = bench.words(1, 0);
    a->submit(bench.kernel("bump", x));
    a->submit(bench.kernel("count", counter));
    bench.context->legacy().submit(bench.kernel("bump", x));
    b->submit(bench.kernel("copy", x, y));
    b->submit(bench.kernel("count", counter));
    free->submit(bench.kernel("count", counter));
    free->submit(wait_value_work(flag, 1, 4, Wait::eq));
    b->submit(write_value_work(flag, 1, 4));
    free->submit(bench.kernel("bump", y));
    bench.context->synchronize();
    CHECK(bench.word(counter) == 3 * 64);
    CHECK(bench.word(y) == ((1 * 3 + 1) * 3 + 1) * 3 + 1);
  });
}

TEST_CASE("right programs are clean: pools that give freed memory again") {
  for (const std::uint64_t seed : kSeeds) {
    CAPTURE(seed);
    // Far more is allocated than the device has, in one stream and then another.
    EngineBench bench(seed, 0, std::uint64_t{1} << 20);
    const auto a = bench.stream();
    const auto b = bench.stream();
    const std::uint64_t bytes = std::uint64_t{200} << 10;
    for (int i = 0; i < 24; ++i) {
      Stream& stream = i % 3 == 2 ? *b : *a;
      std::uint64_t x = bench.device.memory().allocate(bytes);
      if (x == 0) {
        bench.engine.drain();
        x = bench.device.memory().allocate(bytes);
      }
      REQUIRE(x != 0);
      stream.submit(allocate_work(x, bytes));
      stream.submit(bench.kernel("store", 0, x, 3));
      stream.submit(bench.kernel("bump", x));
      stream.submit(release_work(x, bytes, [&bench, x] { bench.device.memory().release(x); }));
    }
    bench.context->synchronize();
    if (!bench.reports.empty()) FAIL(to_string(bench.reports[0]));
  }
}

TEST_CASE("right programs are clean: host functions and threads that signal each other") {
  expect_clean([](EngineBench& bench) {
    const auto a = bench.stream();
    const auto b = bench.stream();
    const std::uint64_t x = bench.words(64, 1);
    const std::uint64_t y = bench.words(64, 1);
    bool done = false;
    a->submit(bench.kernel("bump", x));
    a->submit(host_work([&] { done = true; }));
    while (!done) static_cast<void>(a->query());
    b->submit(bench.kernel("copy", x, y));
    b->synchronize();
    std::thread([&] {
      b->submit(bench.kernel("bump", x));
      b->synchronize();
    }).join();
    a->submit(bench.kernel("bump", x));
  });
}

TEST_CASE("right programs are clean: more work than the shadow can number") {
  expect_clean([](EngineBench& bench) {
    const auto a = bench.stream();
    const auto b = bench.stream();
    const std::uint64_t x = bench.words(64, 0);
    const std::uint64_t y = bench.words(64, 0);
    for (int i = 0; i < 400; ++i) {
      a->submit(bench.kernel("bump", x, 0, 1, false, 1));
      b->submit(bench.kernel("bump", y, 0, 1, false, 1));
      if (i % 50 == 49) {
        order(bench, *a, *b);
        b->submit(bench.kernel("copy", x, y, 0, false, 1));
        order(bench, *b, *a);
      }
      if (i % 170 == 169) bench.context->synchronize();
    }
  });
}

TEST_CASE("engines without race checks report none") {
  EngineBench bench(1);
  Options options;
  options.race_checks = false;
  Engine engine(bench.device, options);
  const auto context = engine.create_context();
  const auto a = context->create_stream(true);
  const auto b = context->create_stream(true);
  const std::uint64_t x = bench.words(64, 1);
  a->submit(bench.kernel("bump", x));
  b->submit(bench.kernel("bump", x));
  context->synchronize();
  CHECK(bench.word(x) == 13);
}

}  // namespace vgpu::engine
