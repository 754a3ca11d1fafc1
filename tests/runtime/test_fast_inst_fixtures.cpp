// FastInst on the CPU against what the authors' own code computes, from the checkpoint to instances, classes of pixels
// and segments.
#include <catch2/catch.hpp>
#include <optional>

#include "runtime/model.h"
#include "support/fast_inst_checks.h"
#include "support/files.h"

namespace maskrt {
namespace {

using namespace testing;

/// Without all of them, values are kept that decide what follows: they are in no rewrite's way.
ModelOptions options_of(const Fixture& fixture, Compute precision, bool rewrites, bool keep_all) {
  ModelOptions options;
  options.device = "cpu";
  options.precision = precision;
  if (!rewrites) options.rewrites_off = {"all"};
  options.keep = keep_all ? std::vector<std::string>{"all"} : deciding_values(fixture);
  return options;
}

Session session_of(const Model& model, int threads) {
  SessionOptions options;
  options.threads = threads;
  options.plans = 4;
  return Session(model, options);
}

TEST_CASE("FastInst computes and finds what the authors' code does, with and without rewrites", "[fixtures]") {
  std::size_t alike = 0, runs = 0;
  REQUIRE(!fast_inst_fixtures().empty());
  for (const auto& folder : fast_inst_fixtures()) {
    const TemporaryFolder scratch;
    const Fixture fixture = load_fixture(folder, scratch.path());
    INFO(fixture.name);
    for (const bool rewrites : {true, false}) {
      INFO("rewrites " << rewrites);
      // Kept values unfuse what would hide them; the other runs fuse everything.
      const Model seen = make_model(fixture.model, options_of(fixture, Compute::fp32, rewrites, true));
      compare_tensors_at_positions(fixture, tensors_at_positions(seen, fixture, 2, Compute::fp32), Compute::fp32, true);

      const Model model = make_model(fixture.model, options_of(fixture, Compute::fp32, rewrites, false));
      compare_tensors_at_positions(fixture, tensors_at_positions(model, fixture, 2, Compute::fp32), Compute::fp32,
                                   false);
      Session session = session_of(model, 2);
      ++runs;
      if (compare_found(fixture, session)) {
        ++alike;
      } else {
        WARN(fixture.name << ": a logit near 0 is on the other side of it, so what is found is not compared");
      }
    }
  }
  CHECK(2 * alike > runs);
}

TEST_CASE("A session takes queries at the positions that a call gives", "[fixtures]") {
  for (const auto& folder : fast_inst_fixtures()) {
    const TemporaryFolder scratch;
    const Fixture fixture = load_fixture(folder, scratch.path());
    INFO(fixture.name);
    ModelOptions options = options_of(fixture, Compute::fp32, true, false);
    options.keep = {"query_features"};
    Session session = session_of(make_model(fixture.model, options), 2);
    const HostTensor& wanted = fixture.tensors.at("query_positions");
    QueryPositions positions{wanted.shape[0], wanted.shape[1], {}};
    for (const float position : wanted.values) positions.values.push_back(static_cast<std::int64_t>(position));
    const std::map<std::string, HostTensor> found = session.tensors(fixture.images, {}, positions);
    CHECK(found.at("query_positions").values == wanted.values);
    // Gathered before a mask decides anything.
    Fixture gathered = fixture;
    std::erase_if(gathered.tensors, [](const auto& tensor) { return tensor.first != "query_features"; });
    compare_tensors_at_positions(gathered, found, Compute::fp32, false);

    QueryPositions wrong = positions;
    ++wrong.images;
    CHECK_THROWS_WITH(session.tensors(fixture.images, {}, wrong), Catch::Matchers::Contains("images of the batch"));
    wrong = positions;
    wrong.values.pop_back();
    CHECK_THROWS_WITH(session.tensors(fixture.images, {}, wrong),
                      Catch::Matchers::Contains("query positions: expected " + std::to_string(wanted.values.size()) +
                                                " positions, found " + std::to_string(wrong.values.size())));
    CHECK(session.tensors(fixture.images, {}, positions).at("class_logits").values == found.at("class_logits").values);
  }
}

TEST_CASE("FastInst finds the same on any number of threads", "[fixtures]") {
  const auto folder = GENERATE(from_range(fast_inst_fixtures()));
  const TemporaryFolder scratch;
  const Fixture fixture = load_fixture(folder, scratch.path());
  const Model model = make_model(fixture.model, options_of(fixture, Compute::fp32, true, false));
  const bool full_width = fixture.name.starts_with("wide");
  for (const int threads : full_width ? std::vector{64} : std::vector{1, 3, 4, 8, 64}) {
    INFO(fixture.name << ", " << threads << " threads");
    compare_tensors_at_positions(fixture, tensors_at_positions(model, fixture, threads, Compute::fp32), Compute::fp32,
                                 false);
    Session session = session_of(model, threads);
    compare_found(fixture, session);
  }
}

TEST_CASE("FastInst in bf16 stays within its bound at the positions of fp32", "[fixtures]") {
  const auto folder = GENERATE(from_range(fast_inst_fixtures()));
  const TemporaryFolder scratch;
  const Fixture fixture = load_fixture(folder, scratch.path());
  std::optional<Model> model;
  try {
    model = make_model(fixture.model, options_of(fixture, Compute::bf16, true, true));
  } catch (const Error& error) {
    // A processor without bf16 says so when the model is prepared.
    CHECK_THAT(error.what(), Catch::Matchers::Contains("bf16"));
    return;
  }
  for (const int threads : {1, 2, 64})
    compare_tensors_at_positions(fixture, tensors_at_positions(*model, fixture, threads, Compute::bf16), Compute::bf16,
                                 true);
  // At the positions that it selects itself, other queries may come first: as many instances, each with a score.
  Session session = session_of(*model, 2);
  for (std::size_t i = 0; i < fixture.single.size(); ++i) {
    const std::vector<Instance> found = session.run(fixture.images[i]);
    for (const Instance& one : found) {
      CHECK(one.score >= 0);
      CHECK(one.score <= 1);
    }
  }
}

}  // namespace
}  // namespace maskrt
