// Whole models on a GPU against what the authors' own code computes, from image bytes to the last mask.
#include <algorithm>
#include <catch2/catch.hpp>

#include "runtime/model.h"
#include "support/files.h"
#include "support/fixture_checks.h"
#include "support/gpu.h"

namespace maskrt {
namespace {

using namespace testing;

ModelOptions options_of(Compute precision) {
  ModelOptions options;
  options.device = "cuda";
  options.precision = precision;
  return options;
}

Fixture fixture_in(const std::filesystem::path& folder) {
  const TemporaryFolder scratch;
  return load_fixture(folder, scratch.path());
}

void check_batched(const Fixture& fixture, Compute precision) {
  Session session(make_model(fixture.model, options_of(precision)));
  compare_tensors(fixture, session.tensors(fixture.images), precision, false);
  if (fixture.batched.empty()) return;
  const auto found = session.run(fixture.images);
  REQUIRE(found.size() == fixture.batched.size());
  for (std::size_t i = 0; i < found.size(); ++i) compare_instances(fixture, i, found[i], fixture.batched[i], precision);
}

void check_single(const Fixture& fixture, Compute precision) {
  Session session(make_model(fixture.model, options_of(precision)));
  for (std::size_t i = 0; i < fixture.single.size(); ++i)
    compare_instances(fixture, i, session.run(fixture.images[i]), fixture.single[i], precision);
}

TEST_CASE("Models in fp16, batched") {
  const auto folder = GENERATE(from_range(sparse_inst_fixtures()));
  check_batched(fixture_in(folder), Compute::fp16);
}

TEST_CASE("A model in fp32, batched and single") {
  const Fixture fixture = fixture_in(smallest_fixture());
  check_batched(fixture, Compute::fp32);
  check_single(fixture, Compute::fp32);
}

TEST_CASE("A model in tf32, batched") {
  const Fixture fixture = fixture_in(smallest_fixture());
  if (Gpu::instance().chip().compute_capability < 80) {
    CHECK_THROWS_WITH(make_model(fixture.model, options_of(Compute::tf32)),
                      Catch::Matchers::Contains("expected fp32 or fp16, found tf32"));
    return;
  }
  check_batched(fixture, Compute::tf32);
  std::vector<LayerTiming> layers;
  Session(make_model(fixture.model, options_of(Compute::tf32))).run_network(1, 64, 64, &layers);
  CHECK(std::any_of(layers.begin(), layers.end(),
                    [](const LayerTiming& layer) { return layer.algorithm.find("tf32") != std::string::npos; }));
}

// Hidden: minutes each on the virtual GPU. `ctest -C full` runs them.
TEST_CASE("Models in both precisions, batched and single, every value seen", "[.full]") {
  const auto folder = GENERATE(from_range(sparse_inst_fixtures()));
  const Fixture fixture = fixture_in(folder);
  for (const Compute precision : {Compute::fp32, Compute::fp16}) {
    check_batched(fixture, precision);
    check_single(fixture, precision);
    ModelOptions options = options_of(precision);
    options.keep = {"all"};
    compare_tensors(fixture, Session(make_model(fixture.model, options)).tensors(fixture.images), precision, true);
    // As converted, fp16 rounds many more values, and normalised maps below its smallest normal number.
    if (precision == Compute::fp16) continue;
    options.rewrites_off = {"all"};
    compare_tensors(fixture, Session(make_model(fixture.model, options)).tensors(fixture.images), precision, true);
  }
}

}  // namespace
}  // namespace maskrt
