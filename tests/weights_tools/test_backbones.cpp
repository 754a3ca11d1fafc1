// Every backbone alone: what it says of itself, that its random weights run, and what ResNet's keys mean.
#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "networks.h"
#include "support/interpreter.h"
#include "weights_tools/backbones/backbone.h"
#include "weights_tools/builder/counter_generator.h"
#include "weights_tools/builder/random_weights.h"
#include "weights_tools/config/python_literal.h"
#include "weights_tools/words.h"

namespace maskrt::weights {
namespace {

using Catch::Matchers::Contains;

struct BuiltBackbone {
  std::string summary, first_layer;
  graph::Graph graph;
  Features features;
  std::vector<TensorRequest> tensors;
};

// The backbone that the settings describe, with random weights and its features as the graph's outputs.
BuiltBackbone build(const Overrides& settings, const std::string& prefix = "backbone.") {
  ConfigValue root;
  root.kind = ConfigValue::Kind::map;
  for (const auto& [key, value] : settings) set_dotted(root, key, literal_or_string(value, {}));
  ConfigReader reader(root);
  const auto backbone = read_backbone(reader, prefix);
  CHECK(reader.unread().empty());
  BuiltBackbone built;
  built.summary = backbone->summary();
  built.first_layer = backbone->first_layer();
  Weights weights(random_weights("1:"));
  Layers net(built.graph, weights);
  built.features = backbone->build(net.input(3), net);
  weights.check(8);
  for (const auto& [name, feature] : built.features) built.graph.outputs.push_back(feature.value);
  built.tensors = weights.tensors();
  return built;
}

std::string refusal(const Overrides& settings) {
  try {
    build(settings);
  } catch (const Error& error) {
    return error.what();
  }
  return "built";
}

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
    const auto built = build({{"MODEL.BACKBONE.NAME", std::string(kind.name)}}, "a.prefix.");
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
  const std::string expected = "MODEL.BACKBONE.NAME: expected " + joined(names, "or");
  CHECK_THAT(expected, Contains("build_resnet_backbone"));
  CHECK(refusal({{"MODEL.BACKBONE.NAME", "build_none"}}) == expected + ", found 'build_none'");
  for (const auto& [name, described] :
       std::map<std::string, std::string>{{"build_resnet_vd_backbone", "ResNet-D backbones"},
                                          {"build_cspnet_backbone", "CSPNet and Darknet backbones"},
                                          {"build_pyramid_vision_transformer", "Pyramid Vision Transformer backbones"}})
    CHECK(refusal({{"MODEL.BACKBONE.NAME", name}}) ==
          expected + ", found '" + name + "': " + described + " are not supported yet");
}

// ResNet with all of its stages as features.
BuiltBackbone resnet(Overrides settings = {}) {
  settings.insert(settings.begin(), {"MODEL.RESNETS.OUT_FEATURES", "['res2', 'res3', 'res4', 'res5']"});
  return build(settings);
}

const graph::Conv& conv(const BuiltBackbone& built, const std::string& name) {
  return operation<graph::Conv>(built.graph, "backbone." + name);
}

TEST_CASE("ResNet as detectron2's defaults have it") {
  const auto built = build({});
  CHECK(built.summary == "ResNet-50");
  CHECK(built.first_layer == "backbone.stem.conv1");
  REQUIRE(built.features.size() == 1);
  CHECK(built.features.at("res4").stride == 16);
  CHECK(conv(built, "stem.conv1").weight->shape() == Shape{64, 3, 7, 7});
  CHECK(conv(built, "res2.0.conv2").weight->shape() == Shape{64, 64, 3, 3});
  CHECK(conv(built, "res2.0.conv3").weight->shape() == Shape{256, 64, 1, 1});
  CHECK(conv(built, "res3.0.conv1").stride == 2);
  CHECK(conv(built, "res3.0.conv2").stride == 1);
  CHECK(std::holds_alternative<graph::BatchNorm>(node(built.graph, "backbone.stem.conv1.norm").operation));
}

TEST_CASE("ResNet's keys with values that it has not") {
  CHECK_THAT(refusal({{"MODEL.RESNETS.NORM", "GN"}}), Contains("MODEL.RESNETS.NORM") && Contains("found 'GN'"));
  CHECK_THAT(refusal({{"MODEL.RESNETS.OUT_FEATURES", "['res6']"}}), Contains("found 'res6'"));
  CHECK_THAT(refusal({{"MODEL.RESNETS.DEPTH", "51"}}), Contains("expected 18, 34, 50, 101 or 152, found 51"));
  CHECK_THAT(refusal({{"MODEL.RESNETS.DEFORM_ON_PER_STAGE", "[False, False, True, False]"}}),
             Contains("found res4: deformable convolutions are not supported yet"));
}

TEST_CASE("ResNet's depths, strides, groups and dilation") {
  const auto blocks = [](const BuiltBackbone& built, const std::string& stage) {
    int count = 0;
    for (const auto& one : built.graph.nodes)
      count += one.name.starts_with("backbone." + stage + ".") && one.name.ends_with(".add");
    return count;
  };
  for (const auto& [depth, counts] : std::map<std::string, std::array<int, 4>>{{"18", {2, 2, 2, 2}},
                                                                               {"34", {3, 4, 6, 3}},
                                                                               {"50", {3, 4, 6, 3}},
                                                                               {"101", {3, 4, 23, 3}},
                                                                               {"152", {3, 8, 36, 3}}}) {
    INFO("depth " << depth);
    const auto built = resnet({{"MODEL.RESNETS.DEPTH", depth}, {"MODEL.RESNETS.RES2_OUT_CHANNELS", "64"}});
    CHECK(built.summary == "ResNet-" + depth);
    for (int i = 0; i < 4; ++i)
      CHECK(blocks(built, "res" + std::to_string(i + 2)) == counts[static_cast<std::size_t>(i)]);
  }

  // Basic blocks: the stride is conv1's, and res2 needs no shortcut where it widens nothing.
  const auto basic = resnet({{"MODEL.RESNETS.DEPTH", "18"}, {"MODEL.RESNETS.RES2_OUT_CHANNELS", "64"}});
  CHECK(conv(basic, "res3.0.conv1").stride == 2);
  CHECK(conv(basic, "res3.0.conv2").stride == 1);
  CHECK_THROWS(conv(basic, "res2.0.shortcut"));
  CHECK(conv(basic, "res3.0.shortcut").stride == 2);

  const auto second = resnet({{"MODEL.RESNETS.STRIDE_IN_1X1", "False"}});
  CHECK(conv(second, "res3.0.conv1").stride == 1);
  CHECK(conv(second, "res3.0.conv2").stride == 2);
  CHECK(conv(second, "res3.1.conv2").stride == 1);
  const auto first = resnet({{"MODEL.RESNETS.STRIDE_IN_1X1", "True"}});
  CHECK(conv(first, "res3.0.conv1").stride == 2);
  CHECK(conv(first, "res3.0.conv2").stride == 1);

  const auto grouped = resnet({{"MODEL.RESNETS.NUM_GROUPS", "32"}, {"MODEL.RESNETS.WIDTH_PER_GROUP", "4"}});
  CHECK(grouped.summary == "ResNet-50, 32 groups");
  CHECK(conv(grouped, "res4.2.conv2").groups == 32);
  CHECK(conv(grouped, "res4.2.conv2").weight->shape() == Shape{512, 16, 3, 3});

  const auto dilated = resnet({{"MODEL.RESNETS.RES5_DILATION", "2"}, {"MODEL.RESNETS.STRIDE_IN_1X1", "False"}});
  CHECK(conv(dilated, "res5.0.conv2").stride == 1);
  CHECK(conv(dilated, "res5.0.conv2").dilation == 2);
  CHECK(conv(dilated, "res5.0.conv2").padding == 2);
  CHECK(conv(dilated, "res4.0.conv2").dilation == 1);
  CHECK(dilated.features.at("res5").stride == 16);
  const auto extents = graph::infer_extents(dilated.graph, 1, 64, 96);
  CHECK(extents[static_cast<std::size_t>(dilated.features.at("res5").value)] == graph::Extent{1, 4, 6, 2048});

  // Without norms, and with only the stages that anybody reads.
  const auto bare = build({{"MODEL.RESNETS.NORM", ""},
                           {"MODEL.RESNETS.OUT_FEATURES", "['res2', 'res3', 'res4']"},
                           {"MODEL.RESNETS.DEFORM_ON_PER_STAGE", "[False, False, False, True]"}});
  CHECK_THROWS(node(bare.graph, "backbone.stem.conv1.norm"));
  CHECK(bare.graph.find("backbone.res5") == -1);
}

}  // namespace
}  // namespace maskrt::weights
