// Whole models on any number of threads: the same detections as on one, however teams shrink and grow meanwhile.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <list>
#include <optional>
#include <thread>

#include "runtime/model.h"
#include "support/demo_conversion.h"
#include "support/files.h"
#include "support/fixture_checks.h"
#include "support/pictures.h"

namespace maskrt {
namespace {

using namespace testing;

const std::vector<int> thread_counts = {2, 3, 4, 5, 6, 8, 12, 16, 32, 64};
/// Where a whole list would take minutes: one that divides few sizes, and more than any loop wants.
const std::vector<int> few_thread_counts = {3, 64};
const std::filesystem::path demo = MASKRT_DEMO;

/// Loads for the CPU; nothing on a processor without the precision, which says so.
std::optional<Model> load(const graph::ModelDescription& description, Compute precision) {
  ModelOptions options;
  options.device = "cpu";
  options.precision = precision;
  try {
    return make_model(description, options);
  } catch (const Error& error) {
    REQUIRE(precision == Compute::bf16);
    REQUIRE_THAT(error.what(), Catch::Matchers::Contains("bf16"));
    return std::nullopt;
  }
}

Session session_of(const Model& model, int threads) {
  SessionOptions options;
  options.threads = threads;
  options.plans = 8;  // one for each picture of a test
  return Session(model, options);
}

/// What a session finds, as something to be expected of others.
ExpectedImages expected_of(Session& session, const std::vector<Image>& images) {
  ExpectedImages expected;
  for (const Image& image : images) {
    auto& instances = expected.emplace_back();
    for (const Instance& found : session.run(image)) {
      const Rle rle = found.mask.rle();
      instances.push_back(
          {found.score, found.class_id, found.mask.area(), rle::from_string(rle.height, rle.width, rle.counts)});
    }
  }
  return expected;
}

/// The demo's model and ragged pictures, as a fixture without expected tensors. Its noise bounds how far sums in
/// another order may be off: logits reach 10, and some 60 layers of roundings of 2^-24, each of a few dozen partial
/// sums, stay below 1e-5 of that; a rounding to bf16 is 2^16 times as large.
struct Demo {
  Fixture fixture;
  std::list<Picture> pictures;

  Demo() {
    const TemporaryFolder scratch;
    const std::filesystem::path file = convert_demo(scratch.path());
    fixture.name = "demo";
    fixture.model = graph::read_model(file);
    for (const char* name : {"class_logits", "objectness_logits", "mask_logits"})
      fixture.noise[name] = {1, 1e-5, 1e-4, 1e-2, 1e-1};
    fixture.every["mask_logits"] = 1;
    const Image tile = Image::from_file((demo / "showcase" / "3.jpg").string());
    fixture.images.push_back(tile);
    for (const auto& [width, height] : {std::pair{822, 202}, {202, 822}, {1000, 1}, {1, 1000}, {3, 2}, {301, 257}}) {
      pictures.emplace_back(tile, width, height);
      fixture.images.push_back(pictures.back().image());
    }
  }
};

const Demo& demo_model() {
  static const Demo instance;
  return instance;
}

TEST_CASE("every model computes on many threads what it computes on one", "[threads]") {
  const auto folder = GENERATE(from_range(sparse_inst_fixtures()));
  const TemporaryFolder scratch;
  const Fixture fixture = load_fixture(folder, scratch.path());
  for (const Compute precision : {Compute::fp32, Compute::bf16}) {
    const std::optional<Model> model = load(fixture.model, precision);
    if (!model) continue;
    Session one = session_of(*model, 1);
    Fixture alone = fixture;
    alone.tensors = one.tensors(fixture.images);
    alone.every.clear();
    const ExpectedImages expected = expected_of(one, fixture.images);
    const bool full_width = fixture.name.starts_with("wide");
    for (const int threads : full_width || precision == Compute::bf16 ? few_thread_counts : thread_counts) {
      INFO(fixture.name << ", " << model->info().precision << ", " << threads << " threads");
      Session session = session_of(*model, threads);
      if (threads == 3 || threads == 64) compare_tensors(alone, session.tensors(fixture.images), precision, false);
      for (std::size_t i = 0; i < fixture.images.size(); ++i)
        compare_instances(fixture, i, session.run(fixture.images[i]), expected[i], precision);
    }
  }
}

TEST_CASE("ragged pictures, whose loops want fewer threads than there are, give one thread's detections", "[threads]") {
  Fixture fixture = demo_model().fixture;
  // 0.7 leaves a few candidates: post-processing then has less work than threads.
  const auto [precision, threshold] =
      GENERATE(table<Compute, float>({{Compute::fp32, 0.005f}, {Compute::bf16, 0.005f}, {Compute::fp32, 0.7f}}));
  std::get<graph::SparseInstHead>(fixture.model.head).score_threshold = threshold;
  const std::optional<Model> model = load(fixture.model, precision);
  if (!model) return;
  Session one = session_of(*model, 1);
  const ExpectedImages expected = expected_of(one, fixture.images);
  std::size_t found = 0;
  for (const auto& instances : expected) found += instances.size();
  REQUIRE(found > 0);
  for (const int threads : thread_counts) {
    INFO(model->info().precision << ", " << threads << " threads, threshold " << threshold);
    Session session = session_of(*model, threads);
    for (int round = 0; round < 2; ++round)  // teams shrink and grow from picture to picture
      for (std::size_t i = 0; i < fixture.images.size(); ++i)
        compare_instances(fixture, i, session.run(fixture.images[i]), expected[i], precision);
  }
}

TEST_CASE("sessions of several thread counts take turns, in one thread and in several", "[threads]") {
  const Fixture& fixture = demo_model().fixture;
  const Model model = *load(fixture.model, Compute::fp32);
  Session one = session_of(model, 1);
  const ExpectedImages expected = expected_of(one, fixture.images);
  std::vector<Session> sessions;
  for (const int threads : {5, 1, 16, 2, 3}) sessions.push_back(session_of(model, threads));

  for (std::size_t i = 0; i < fixture.images.size(); ++i)
    for (Session& session : sessions)
      compare_instances(fixture, i, session.run(fixture.images[i]), expected[i], Compute::fp32);

  // Catch2's checks belong to one thread: the others leave what they found.
  std::vector<std::vector<std::vector<Instance>>> found(sessions.size());
  {
    std::vector<std::jthread> threads;
    for (std::size_t s = 0; s < sessions.size(); ++s)
      threads.emplace_back([&, s] {
        for (int round = 0; round < 3; ++round) {
          found[s].clear();
          for (const Image& image : fixture.images) found[s].push_back(sessions[s].run(image));
        }
      });
  }
  for (const auto& images : found) {
    REQUIRE(images.size() == fixture.images.size());
    for (std::size_t i = 0; i < images.size(); ++i)
      compare_instances(fixture, i, images[i], expected[i], Compute::fp32);
  }
}

TEST_CASE("errors come out of a session's own threads, and the session goes on", "[threads]") {
  const Fixture& fixture = demo_model().fixture;
  const Model model = *load(fixture.model, Compute::fp32);
  Session session = session_of(model, 4);
  CHECK_THROWS_AS(session.run(std::span<const Image>()), Error);
  CHECK_THROWS_AS(session.prepare(1, 33, 64), Error);
  CHECK_THROWS_AS(session.enqueue({}), Error);
  CHECK(!session.run(fixture.images[0]).empty());
}

TEST_CASE("a session's own threads leave the host's signals to the host", "[threads]") {
  static volatile std::sig_atomic_t seen;
  static pid_t handled_by;
  seen = 0;
  handled_by = 0;
  struct sigaction action {};
  struct sigaction before {};
  action.sa_handler = [](int) {
    seen = seen + 1;
    handled_by = ::gettid();
  };
  REQUIRE(::sigaction(SIGUSR1, &action, &before) == 0);
  const Fixture& fixture = demo_model().fixture;
  Session session = session_of(*load(fixture.model, Compute::fp32), 4);
  CHECK(!session.run(fixture.images[0]).empty());
  // While this thread blocks it, a signal for the process waits for a thread that takes it: there is none.
  sigset_t blocked, old;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGUSR1);
  ::pthread_sigmask(SIG_BLOCK, &blocked, &old);
  ::kill(::getpid(), SIGUSR1);
  CHECK(!session.run(fixture.images[0]).empty());
  CHECK(seen == 0);
  ::pthread_sigmask(SIG_SETMASK, &old, nullptr);
  CHECK(seen == 1);
  CHECK(handled_by == ::gettid());
  ::sigaction(SIGUSR1, &before, nullptr);
}

}  // namespace
}  // namespace maskrt
