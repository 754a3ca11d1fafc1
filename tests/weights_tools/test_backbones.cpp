// Every backbone alone: what it says of itself, and that its random weights run.
#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <set>
#include <string>

#include "built_backbone.h"
#include "support/interpreter.h"
#include "weights_tools/builder/counter_generator.h"
#include "weights_tools/words.h"

namespace maskrt::weights {
namespace {

using Catch::Matchers::Contains;

double root_mean_square(const std::vector<double>& data) {
  double square = 0;
  for (const double v : data) square += v * v;
  return std::sqrt(square / static_cast<double>(data.size()));
}

TEST_CASE("every file of weights_tools/backbones is a backbone of the list") {
  std::set<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(MASKRT_TEST_DATA "/../../weights_tools/backbones"))
    if (entry.path().extension() == ".cpp") files.insert(entry.path().stem().string());
  REQUIRE(files.erase("backbones") == 1);
  CHECK(files.size() == all_backbones().size());
}

TEST_CASE(
    "every backbone, as detectron2's defaults have it, names itself and its tensors, and runs on random weights") {
  REQUIRE(!all_backbones().empty());
  std::set<std::string_view> names;
  for (const BackboneKind& kind : all_backbones()) {
    INFO(kind.name);
    CHECK(names.insert(kind.name).second);
    const auto built = build_backbone({{"MODEL.BACKBONE.NAME", std::string(kind.name)}}, "a.prefix.");
    graph::check(built.graph);
    CHECK(!built.summary.empty());
    CHECK(built.graph.nodes.size() > 1);
    CHECK_NOTHROW(operation<graph::Conv>(built.graph, built.first_layer));
    REQUIRE(!built.tensors.empty());
    for (const auto& tensor : built.tensors) {
      INFO(tensor.name);
      CHECK(tensor.name.starts_with("a.prefix."));
      const UniformRange range = range_of(tensor.fill, tensor.shape);
      CHECK((range.scale > 0 || range.offset != 0));
    }

    REQUIRE(!built.features.empty());
    const graph::Extent extent{1, 64, 96, 3, false};
    const auto image = testing::from_nchw(extent, generate("image", extent.elements(), 2, 0));
    const auto values = testing::interpret(built.graph, image);
    for (const auto& [name, feature] : built.features) {
      INFO(name);
      const testing::Map& map = values[static_cast<std::size_t>(feature.value)];
      CHECK(map.extent.height == 64 / feature.stride);
      CHECK(map.extent.width == 96 / feature.stride);
      CHECK(root_mean_square(map.data) > 0.2);  // a number that is not finite fails one of the two
      CHECK(root_mean_square(map.data) < 60);
    }
  }
}

TEST_CASE("backbones that cannot be built are refused with the names of those that can") {
  std::vector<std::string> names;
  for (const BackboneKind& kind : all_backbones()) names.emplace_back(kind.name);
  const std::string list = joined(names, "or");
  CHECK_THAT(list, Contains("build_resnet_backbone"));
  CHECK(refusal({{"MODEL.BACKBONE.NAME", "build_none"}}) ==
        "MODEL.BACKBONE.NAME (the test): expected " + list + ", found 'build_none'");
}

}  // namespace
}  // namespace maskrt::weights
