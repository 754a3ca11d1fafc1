// Whole models on the CPU against what the authors' own code computes, from the checkpoint to the last mask.
#include <catch2/catch.hpp>
#include <optional>

#include "runtime/model.h"
#include "support/files.h"
#include "support/fixture_checks.h"

namespace maskrt {
namespace {

using namespace testing;

ModelOptions options_of(Compute precision, bool rewrites, bool keep) {
  ModelOptions options;
  options.device = "cpu";
  options.precision = precision;
  if (!rewrites) options.rewrites_off = {"all"};
  if (keep) options.keep = {"all"};
  return options;
}

TEST_CASE("models compute what the authors' code computes, with and without rewrites", "[fixtures]") {
  REQUIRE(sparse_inst_fixtures().size() >= 6);
  const auto folder = GENERATE(from_range(sparse_inst_fixtures()));
  const TemporaryFolder scratch;
  const Fixture fixture = load_fixture(folder, scratch.path());

  for (const bool rewrites : {true, false}) {
    // Kept values unfuse what would hide them; the plain run below fuses everything.
    Session seen(make_model(fixture.model, options_of(Compute::fp32, rewrites, true)));
    compare_tensors(fixture, seen.tensors(fixture.images), Compute::fp32, true);

    Session session(make_model(fixture.model, options_of(Compute::fp32, rewrites, false)));
    compare_tensors(fixture, session.tensors(fixture.images), Compute::fp32, false);
    if (!fixture.batched.empty()) {
      const auto batched = session.run(fixture.images);
      REQUIRE(batched.size() == fixture.batched.size());
      for (std::size_t i = 0; i < batched.size(); ++i)
        compare_instances(fixture, i, batched[i], fixture.batched[i], Compute::fp32);
    }
    for (std::size_t i = 0; i < fixture.single.size(); ++i)
      compare_instances(fixture, i, session.run(fixture.images[i]), fixture.single[i], Compute::fp32);
  }
}

TEST_CASE("bf16 stays within its bound", "[fixtures]") {
  const auto folder = GENERATE(from_range(sparse_inst_fixtures()));
  const TemporaryFolder scratch;
  const Fixture fixture = load_fixture(folder, scratch.path());
  std::optional<Model> model;
  try {
    model = make_model(fixture.model, options_of(Compute::bf16, true, true));
  } catch (const Error& error) {
    // A processor without bf16 says so when the model is prepared.
    CHECK_THAT(error.what(), Catch::Matchers::Contains("bf16"));
    return;
  }
  compare_tensors(fixture, Session(*model).tensors(fixture.images), Compute::bf16, true);
}

TEST_CASE("one plan gives the same bits each time", "[fixtures]") {
  const TemporaryFolder scratch;
  const Fixture fixture = load_fixture(smallest_fixture(), scratch.path());
  Session session(make_model(fixture.model, options_of(Compute::fp32, true, false)));
  const auto first = session.tensors(fixture.images);
  const auto second = session.tensors(fixture.images);
  for (const auto& [name, tensor] : first) CHECK(tensor.values == second.at(name).values);
}

}  // namespace
}  // namespace maskrt
