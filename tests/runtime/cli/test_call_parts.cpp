// What a call's time is made of, from made-up measurements.
#include <catch2/catch.hpp>

#include "runtime/cli/call_parts.h"

namespace maskrt::cli {
namespace {

LayerTiming layer(const std::string& module, double seconds) {
  LayerTiming timing;
  timing.module = module;
  timing.seconds = seconds;
  return timing;
}

/// Layers take 8 seconds one by one, the network at one go 4.
Measured measurements() {
  Measured measured;
  measured.stages = {{"decode", {9}},         {"preprocess", {3, 1, 2}}, {"network", {4, 4, 40}},
                     {"postprocess", {2, 2}}, {"whole call", {12}},      {"network alone", {3}}};
  measured.layers = {layer("backbone", 3), layer("encoder", 1), layer("backbone", 2), layer("decoder", 2)};
  return measured;
}

}  // namespace

TEST_CASE("modules have the network's time between them, as their layers have it") {
  const std::vector<CallPart> parts = parts_of_call(measurements());
  const std::vector<CallPart> want = {
      {"preprocess", 2, 0}, {"backbone", 2.5, 2}, {"encoder", 0.5, 1}, {"decoder", 1, 1}, {"postprocess", 2, 0}};
  REQUIRE(parts.size() == want.size());
  for (std::size_t i = 0; i < want.size(); ++i) {
    INFO(want[i].name << ": got " << parts[i].name << " with " << parts[i].seconds << " seconds");
    CHECK(parts[i].name == want[i].name);
    CHECK(parts[i].seconds == Approx(want[i].seconds));
    CHECK(parts[i].layers == want[i].layers);
  }
  CHECK(seconds_of(parts) == Approx(8));
}

TEST_CASE("frames a second are those of the network and post-processing") {
  const std::vector<CallPart> parts = parts_of_call(measurements());
  CHECK(frames_per_second(parts, 1) == Approx(1 / 6.0));
  CHECK(frames_per_second(parts, 3) == Approx(0.5));
}

TEST_CASE("a clock that saw nothing gives no frames and no modules' time") {
  Measured measured = measurements();
  for (Stage& stage : measured.stages) stage.seconds = {0};
  for (LayerTiming& timing : measured.layers) timing.seconds = 0;
  const std::vector<CallPart> parts = parts_of_call(measured);
  CHECK(parts.size() == 5);
  CHECK(seconds_of(parts) == 0);
  CHECK(frames_per_second(parts, 1) == 0);
}

}  // namespace maskrt::cli
