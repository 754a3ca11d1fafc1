// The numbers of networks that nobody trained.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>

#include "networks.h"
#include "support/files.h"
#include "weights_tools/builder/counter_generator.h"
#include "weights_tools/builder/random_weights.h"

namespace maskrt::weights {
namespace {

using Catch::Matchers::Contains;

const std::string kFixtures = MASKRT_TEST_DATA "/fixtures/";

TEST_CASE("a fill's range follows from its gain and the fan-in, or is given") {
  const UniformRange layer = range_of({.gain = 2}, {64, 3, 2, 2});
  CHECK(layer.offset == 0);
  CHECK(layer.scale == 1);  // 2 * sqrt(3 / 12)
  const UniformRange bias = range_of({.offset = -6, .scale = 1}, {400});
  CHECK(bias.offset == -6);
  CHECK(bias.scale == 1);
}

TEST_CASE("random weights lie in their fill's range, and depend on the seed and the tensor's name") {
  const TensorRequest tensor{"layer.weight", {16, 8, 3, 3}, {.offset = 2, .scale = 0.5}};
  const auto values = random_weights("1:")->floats(tensor);
  REQUIRE(values.size() == 16 * 8 * 3 * 3);
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  CHECK(*least >= 1.5f);
  CHECK(*least < 1.51f);
  CHECK(*most <= 2.5f);
  CHECK(*most > 2.49f);
  CHECK(values == random_weights("1:")->floats(tensor));
  CHECK(values != random_weights("2:")->floats(tensor));
  auto other = tensor;
  other.name = "layer.bias";
  CHECK(values != random_weights("1:")->floats(other));
}

TEST_CASE("generated numbers are those that the full-width fixture documents") {
  const auto json = nlohmann::json::parse(testing::read_text(kFixtures + "wide_sparse_inst_r50_giam/weights.json"));
  for (const auto& [name, values] : json.at("check").items()) {
    INFO(name);
    const auto& tensor = json.at("tensors").at(name);
    const auto got = generate(name, 3, tensor.at("scale").get<float>(), tensor.at("offset").get<float>());
    for (std::size_t i = 0; i < 3; ++i) CHECK(got[i] == values[i].get<float>());
  }
}

TEST_CASE("random weights are the same each time, finite and normal") {
  const auto config = config_of("sparse_inst_r50_giam", {{"MODEL.RESNETS.DEPTH", "18"}});
  const auto one = build_random_model(config), other = build_random_model(config);
  REQUIRE(one.tensors.size() == other.tensors.size());
  const auto source = random_weights(config), again = random_weights(config);
  for (std::size_t i = 0; i < one.tensors.size(); ++i) {
    INFO(one.tensors[i].name);
    const auto values = source->floats(one.tensors[i]);
    CHECK(values == again->floats(other.tensors[i]));
    CHECK(std::all_of(values.begin(), values.end(), [](float v) { return v == 0 || std::isnormal(v); }));
    if (one.tensors[i].name.ends_with("running_var"))
      CHECK(std::all_of(values.begin(), values.end(), [](float v) { return v > 0.5f; }));
  }
  const auto huge = config_of("sparse_inst_r50_giam", {{"MODEL.SPARSE_INST.DECODER.INST.DIM", "65536"}});
  CHECK_THROWS_WITH(build_random_model(huge), Contains("expected at most 536870912 random weights"));
}

}  // namespace
}  // namespace maskrt::weights
