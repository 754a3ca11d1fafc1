// FastInst on a GPU against what the authors' own code computes, from image bytes to instances, classes of pixels and
// segments.
#include <catch2/catch.hpp>

#include "runtime/model.h"
#include "support/fast_inst_checks.h"
#include "support/files.h"

namespace maskrt {
namespace {

using namespace testing;

/// Without all of them, values are kept that decide what follows: they are in no rewrite's way.
ModelOptions options_of(const Fixture& fixture, Compute precision, bool keep_all) {
  ModelOptions options;
  options.device = "cuda";
  options.precision = precision;
  options.keep = keep_all ? std::vector<std::string>{"all"} : deciding_values(fixture);
  return options;
}

Fixture fixture_in(const std::filesystem::path& folder) {
  const TemporaryFolder scratch;
  return load_fixture(folder, scratch.path());
}

void check_tensors(const Fixture& fixture, Compute precision, const ModelOptions& options, bool all) {
  INFO(fixture.name << " in " << name_of(precision));
  const Model model = make_model(fixture.model, options);
  compare_tensors_at_positions(fixture, tensors_at_positions(model, fixture, 1, precision), precision, all);
}

TEST_CASE("FastInst in fp16 at the positions of fp32") {
  for (const auto& folder : fast_inst_fixtures()) {
    const Fixture fixture = fixture_in(folder);
    check_tensors(fixture, Compute::fp16, options_of(fixture, Compute::fp16, false), false);
    // At the positions that it selects itself, other queries may come first: instances, best first, each with a score.
    Session session(make_model(fixture.model, options_of(fixture, Compute::fp16, false)));
    for (std::size_t i = 0; i < fixture.single.size(); ++i) {
      const std::vector<Instance> found = session.run(fixture.images[i]);
      for (std::size_t n = 0; n < found.size(); ++n) {
        CHECK(found[n].score >= 0);
        CHECK(found[n].score <= (n == 0 ? 1 : found[n - 1].score));
      }
    }
  }
}

// Hidden: minutes each on the virtual GPU. `ctest -C full` runs them.
TEST_CASE("FastInst in both precisions, every value seen, and all that it finds", "[.full]") {
  const auto folder = GENERATE(from_range(fast_inst_fixtures()));
  const Fixture fixture = fixture_in(folder);
  for (const Compute precision : {Compute::fp32, Compute::fp16}) {
    ModelOptions options = options_of(fixture, precision, true);
    check_tensors(fixture, precision, options, true);
    // As converted, fp16 rounds many more values.
    if (precision == Compute::fp16) continue;
    options.rewrites_off = {"all"};
    check_tensors(fixture, precision, options, true);
  }
  Session session(make_model(fixture.model, options_of(fixture, Compute::fp32, false)));
  if (!compare_found(fixture, session))
    WARN(fixture.name << ": a logit near 0 is on the other side of it, so what is found is not compared");
}

}  // namespace
}  // namespace maskrt
