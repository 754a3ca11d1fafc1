// A host program with OpenMP threads of its own: sessions leave them, and the calling thread, as they were.
#include <omp.h>
#include <unistd.h>
#include <xmmintrin.h>

#include <catch2/catch.hpp>
#include <cfenv>
#include <set>
#include <thread>
#include <vector>

#include "graph/model_file.h"
#include "runtime/model.h"
#include "support/demo_conversion.h"
#include "support/files.h"
#include "support/pictures.h"

namespace maskrt {
namespace {

using namespace testing;

const std::filesystem::path demo = MASKRT_DEMO;
constexpr int kHostThreads = 4;
constexpr unsigned kFlushToZero = 0x8000, kDenormalsAreZero = 0x0040;

const Model& demo_model() {
  static const Model model = [] {
    const TemporaryFolder scratch;
    const std::filesystem::path file = convert_demo(scratch.path());
    ModelOptions cpu;
    cpu.device = "cpu";
    return Model::load(file.string(), cpu);
  }();
  return model;
}

const std::vector<Image>& images() {
  static const Image tile = Image::from_file((demo / "showcase" / "3.jpg").string());
  static const std::vector<Picture> pictures = {Picture(tile, 822, 202), Picture(tile, 3, 2), Picture(tile, 120, 90)};
  static const std::vector<Image> all = {pictures[0].image(), pictures[1].image(), pictures[2].image()};
  return all;
}

SessionOptions with_threads(int threads) {
  SessionOptions options;
  options.threads = threads;
  return options;
}

/// Instances that all pictures have.
std::size_t detections(Session& session) {
  std::size_t count = 0;
  for (const Image& image : images()) count += session.run(image).size();
  return count;
}

/// MXCSR of each thread of the host's team but for the flags of what has happened, which the host's own sums set.
std::vector<unsigned> states_of_host() {
  constexpr unsigned flags = 0x3f;
  std::vector<unsigned> states(kHostThreads);
#pragma omp parallel num_threads(kHostThreads)
  states[static_cast<std::size_t>(omp_get_thread_num())] = _mm_getcsr() & ~flags;
  return states;
}

/// The system's numbers of the threads of the host's team.
std::set<pid_t> threads_of_host() {
  std::vector<pid_t> ids(kHostThreads);
#pragma omp parallel num_threads(kHostThreads)
  ids[static_cast<std::size_t>(omp_get_thread_num())] = ::gettid();
  return {ids.begin(), ids.end()};
}

TEST_CASE("the host's OpenMP threads keep their floating-point state, and their number", "[host]") {
  // Each thread has a state of its own: rounding and flushing as the host's work wants them.
  const std::vector<unsigned> modes = {0, _MM_ROUND_UP, kFlushToZero, _MM_ROUND_DOWN | kDenormalsAreZero};
#pragma omp parallel num_threads(kHostThreads)
  _mm_setcsr(0x1f80 | modes[static_cast<std::size_t>(omp_get_thread_num())]);
  const std::vector<unsigned> before = states_of_host();
  REQUIRE(before != std::vector<unsigned>(kHostThreads, before[0]));
  const std::set<pid_t> threads = threads_of_host();
  REQUIRE(threads.size() == kHostThreads);
  const int most = omp_get_max_threads();

  for (const int count : {1, 2, 3, 7}) {
    INFO(count << " threads");
    Session session(demo_model(), with_threads(count));
    omp_set_dynamic(1);
    CHECK(detections(session) > 0);
    CHECK(omp_get_dynamic() != 0);
    omp_set_dynamic(0);
    CHECK(omp_get_max_threads() == most);
    CHECK(states_of_host() == before);
    CHECK(threads_of_host() == threads);
  }
#pragma omp parallel num_threads(kHostThreads)
  _mm_setcsr(0x1f80);
}

TEST_CASE("the host's rounding and traps neither reach a session nor are lost", "[host]") {
  Session plain(demo_model(), with_threads(1));
  const std::vector<Instance> expected = plain.run(images()[0]);
  REQUIRE(!expected.empty());
  for (const int count : {1, 4}) {
    INFO(count << " threads");
    std::fesetround(FE_UPWARD);
    ::feenableexcept(FE_DIVBYZERO | FE_INVALID | FE_OVERFLOW);
    const unsigned before = _mm_getcsr();
    Session session(demo_model(), with_threads(count));
    const std::vector<Instance> found = session.run(images()[0]);
    const std::vector<Instance> again = session.run(images()[0]);
    const unsigned after = _mm_getcsr();
    const int traps = ::fegetexcept(), rounding = std::fegetround();
    ::fedisableexcept(FE_ALL_EXCEPT);
    std::fesetround(FE_TONEAREST);
    CHECK(after == before);
    CHECK(traps == (FE_DIVBYZERO | FE_INVALID | FE_OVERFLOW));
    CHECK(rounding == FE_UPWARD);
    REQUIRE(found.size() == expected.size());
    REQUIRE(again.size() == expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      CHECK(found[i].score == Approx(expected[i].score).margin(1e-3));
      CHECK(again[i].score == found[i].score);
    }
  }
}

TEST_CASE("each thread of the host's team has a session, inside a parallel region", "[host]") {
  Session plain(demo_model(), with_threads(1));
  const std::size_t expected = detections(plain);
  const std::vector<unsigned> before = states_of_host();
  for (const int count : {1, 3}) {
    INFO(count << " threads each");
    std::vector<std::size_t> found(kHostThreads);
    std::vector<unsigned> after(kHostThreads);
#pragma omp parallel num_threads(kHostThreads)
    {
      const auto own = static_cast<std::size_t>(omp_get_thread_num());
      Session session(demo_model(), with_threads(count));
      found[own] = detections(session);
      after[own] = _mm_getcsr() & ~0x3fu;
    }
    CHECK(found == std::vector<std::size_t>(kHostThreads, expected));
    CHECK(after == before);
    CHECK(states_of_host() == before);
  }
}

TEST_CASE("sessions compute beside the host's own parallel loops", "[host]") {
  Session plain(demo_model(), with_threads(1));
  const std::size_t expected = detections(plain);
  std::size_t found = 0;
  {
    std::jthread beside([&] {
      Session session(demo_model(), with_threads(5));
      for (int i = 0; i < 3; ++i) found = detections(session);
    });
    for (int i = 0; i < 50; ++i) {
      double sum = 0;
#pragma omp parallel for num_threads(2 + i % 3) reduction(+ : sum)
      for (int k = 0; k < 1000; ++k) sum += 1e-310 * k;  // denormal, and counted as long as nobody flushes
      if (sum == 0) FAIL("the host's denormals are gone");
    }
  }
  CHECK(found == expected);
}

}  // namespace
}  // namespace maskrt
