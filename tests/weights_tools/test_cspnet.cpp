// CSPNet and Darknet: their variants, their names and widths, and what is said about weights that do not fit.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "built_backbone.h"

namespace maskrt::weights {
namespace {

using Catch::Matchers::Contains;

// The variant with all of its stages as features.
Overrides settings_of(const std::string& name, const Overrides& more = {}) {
  const bool dark = name.find("darknet") != std::string::npos;
  Overrides settings = {{"MODEL.BACKBONE.NAME", "build_cspnet_backbone"},
                        {"MODEL.CSPNET.NAME", name},
                        {"MODEL.CSPNET.OUT_FEATURES",
                         dark ? "['csp0', 'csp1', 'csp2', 'csp3', 'csp4']" : "['csp0', 'csp1', 'csp2', 'csp3']"}};
  settings.insert(settings.end(), more.begin(), more.end());
  return settings;
}

BuiltBackbone cspnet(const std::string& name, const Overrides& more = {}) {
  return build_backbone(settings_of(name, more));
}

struct Layer {
  const char* name;
  Shape shape;
  int stride;
};

struct Expected {
  const char *name, *summary;
  std::int64_t parameters;  // these two as the authors' code counts them
  std::size_t tensors;
  std::vector<std::int64_t> widths;  // of csp0, csp1, ...
  int stride;                        // of csp0
  std::vector<Layer> layers;
};

const Expected kExpected[] = {
    {"cspresnet50",
     "CSPResNet-50",
     20631488,
     275,
     {128, 256, 512, 1024},
     4,
     {{"stem.conv1", {64, 3, 7, 7}, 2},
      {"stages.0.conv_exp", {256, 64, 1, 1}, 1},
      {"stages.0.blocks.2.conv1", {64, 128, 1, 1}, 1},
      {"stages.1.conv_down", {128, 128, 3, 3}, 2},
      {"stages.3.blocks.1.conv2", {512, 512, 3, 3}, 1},
      {"stages.3.conv_transition", {1024, 2048, 1, 1}, 1}}},
    {"cspresnet50d",
     "CSPResNet-50-D",
     20650848,
     285,
     {128, 256, 512, 1024},
     4,
     {{"stem.conv1", {32, 3, 3, 3}, 2},
      {"stem.conv2", {32, 32, 3, 3}, 1},
      {"stem.conv3", {64, 32, 3, 3}, 1},
      {"stages.2.blocks.4.conv3", {512, 256, 1, 1}, 1}}},
    {"cspresnet50w",
     "CSPResNet-50-W",
     26109536,
     285,
     {256, 512, 1024, 2048},
     4,
     {{"stages.0.conv_exp", {256, 64, 1, 1}, 1},
      {"stages.0.blocks.0.conv1", {32, 128, 1, 1}, 1},
      {"stages.1.conv_down", {256, 256, 3, 3}, 2},
      {"stages.1.conv_transition_b", {256, 256, 1, 1}, 1}}},
    {"cspresnext50",
     "CSPResNeXt-50",
     18578368,
     275,
     {256, 512, 1024, 2048},
     4,
     {{"stages.0.blocks.0.conv2", {128, 4, 3, 3}, 1},
      {"stages.1.conv_down", {256, 8, 3, 3}, 2},
      {"stages.3.blocks.0.conv2", {1024, 32, 3, 3}, 1},
      {"stages.3.conv_exp", {2048, 1024, 1, 1}, 1}}},
    {"cspdarknet53",
     "CSPDarknet-53",
     26652512,
     335,
     {64, 128, 256, 512, 1024},
     2,
     {{"stem.conv1", {32, 3, 3, 3}, 1},
      {"stages.0.conv_down", {64, 32, 3, 3}, 2},
      {"stages.0.conv_exp", {128, 64, 1, 1}, 1},
      {"stages.0.blocks.0.conv1", {32, 64, 1, 1}, 1},
      {"stages.0.blocks.0.conv2", {64, 32, 3, 3}, 1},
      {"stages.3.blocks.7.conv1", {256, 256, 1, 1}, 1},
      {"stages.4.conv_transition", {1024, 1024, 1, 1}, 1}}},
    {"darknet53",
     "Darknet-53",
     40620640,
     260,
     {64, 128, 256, 512, 1024},
     2,
     {{"stages.0.conv_down", {64, 32, 3, 3}, 2},
      {"stages.0.blocks.0.conv1", {32, 64, 1, 1}, 1},
      {"stages.2.blocks.7.conv2", {256, 128, 3, 3}, 1},
      {"stages.4.blocks.3.conv2", {1024, 512, 3, 3}, 1}}},
};

TEST_CASE("every CSPNet and Darknet has the layers and the parameters of the authors' code") {
  for (const Expected& expected : kExpected) {
    const std::string name = expected.name;
    INFO(name);
    const auto built = cspnet(name);
    graph::check(built.graph);
    CHECK(built.summary == expected.summary);
    CHECK(built.first_layer == "backbone.stem.conv1.conv");
    CHECK(parameters(built.tensors) == expected.parameters);
    CHECK(built.tensors.size() == expected.tensors);
    REQUIRE(built.features.size() == expected.widths.size());
    int stride = expected.stride;
    for (std::size_t i = 0; i < expected.widths.size(); ++i, stride *= 2) {
      const auto feature = "csp" + std::to_string(i);
      CHECK(built.features.at(feature).stride == stride);
      CHECK(extent_of(built, feature) == graph::Extent{1, 640 / stride, 864 / stride, expected.widths[i]});
      CHECK(built.graph.find("backbone." + feature) == built.features.at(feature).value);
    }
    for (const Layer& one : expected.layers) {
      INFO(one.name);
      const auto& conv = layer<graph::Conv>(built, std::string(one.name) + ".conv");
      CHECK(conv.weight->shape() == one.shape);
      CHECK(conv.stride == one.stride);
      CHECK(conv.padding == one.shape[2] / 2);
      CHECK(!conv.bias);
      const auto full = "backbone." + std::string(one.name);
      CHECK(reads_from(built.graph, full + ".bn", 0) == full + ".conv");
      CHECK(reads_from(built.graph, full + ".act", 0) == full + ".bn");
      CHECK(layer<graph::Activate>(built, std::string(one.name) + ".act").activation == graph::Activation::leaky_relu);
    }
  }
}

TEST_CASE("a cross stage leads half of its channels past the blocks") {
  const auto built = cspnet("cspresnet50");
  const std::string stage = "backbone.stages.1.";
  CHECK(layer<graph::Slice>(built, "stages.1.split.first").begin == 0);
  CHECK(layer<graph::Slice>(built, "stages.1.split.last").begin == 256);
  CHECK(layer<graph::Slice>(built, "stages.1.split.last").count == 256);
  CHECK(reads_from(built.graph, stage + "blocks.0.conv1.conv", 0) == stage + "split.last");
  CHECK(reads_from(built.graph, stage + "conv_transition_b.conv", 0) == stage + "blocks.2.act3");
  CHECK(reads_from(built.graph, stage + "concat", 0) == stage + "split.first");
  CHECK(reads_from(built.graph, stage + "concat", 1) == stage + "conv_transition_b.act");
  CHECK(reads_from(built.graph, stage + "conv_transition.conv", 0) == stage + "concat");
  // Of the darknets' blocks nothing is activated after the sum.
  const auto dark = cspnet("cspdarknet53");
  CHECK(reads_from(dark.graph, stage + "conv_transition_b.conv", 0) == stage + "blocks.1.add");
  CHECK(reads_from(dark.graph, stage + "blocks.1.add", 0) == stage + "blocks.1.conv2.act");
  CHECK(reads_from(dark.graph, stage + "blocks.1.add", 1) == stage + "blocks.0.add");
}

TEST_CASE("keys of CSPNET with other values than its own") {
  const Overrides backbone = {{"MODEL.BACKBONE.NAME", "build_cspnet_backbone"}};
  CHECK(build_backbone(backbone).summary == "Darknet-53");
  CHECK(build_backbone(backbone).features.size() == 4);  // csp1 to csp4
  CHECK(refusal(settings_of("cspresnet101")) ==
        "MODEL.CSPNET.NAME (the test): expected cspresnet50, cspresnet50d, cspresnet50w, cspresnext50, cspdarknet53 or "
        "darknet53, found 'cspresnet101'");
  CHECK(refusal(settings_of("cspresnet50", {{"MODEL.CSPNET.OUT_FEATURES", "['csp3', 'csp4']"}})) ==
        "MODEL.CSPNET.OUT_FEATURES (the test): expected csp0, csp1, csp2 or csp3 of cspresnet50, found 'csp4'");
  CHECK(refusal({backbone[0], {"MODEL.CSPNET.NAME", "cspresnet50"}}) ==
        "MODEL.CSPNET.OUT_FEATURES (the defaults): expected csp0, csp1, csp2 or csp3 of cspresnet50, found 'csp4'");
  CHECK(refusal(settings_of("darknet53", {{"MODEL.CSPNET.OUT_FEATURES", "['res5']"}})) ==
        "MODEL.CSPNET.OUT_FEATURES (the test): expected csp0, csp1, csp2, csp3 or csp4 of darknet53, found 'res5'");
  // The authors' code makes a batch norm of every name.
  for (const std::string norm : {"FrozenBN", "BN", "SyncBN", "", "GN"})
    CHECK(cspnet("darknet53", {{"MODEL.CSPNET.NORM", norm}}).tensors.size() == 260);
  // Stages that nobody reads are not built.
  const auto short_one = cspnet("darknet53", {{"MODEL.CSPNET.OUT_FEATURES", "['csp1']"}});
  CHECK(short_one.features.size() == 1);
  CHECK(short_one.graph.find("backbone.csp2") == -1);
}

TEST_CASE("weights of another CSPNet than the config's") {
  const auto shapes = [](const std::string& name) { return shapes_of(cspnet(name)); };
  const auto said = [](const std::string& name, const ShapedWeights& weights) {
    return refusal(settings_of(name), &weights, 1000);
  };
  const ShapedWeights dark = shapes("darknet53"), cross = shapes("cspdarknet53"), resnet = shapes("cspresnet50"),
                      deep = shapes("cspresnet50d"), resnext = shapes("cspresnext50");
  CHECK_THAT(said("darknet53", cross), Contains("tensor backbone.stages.0.conv_exp.conv.weight: expected no such "
                                                "tensor, found one, which MODEL.CSPNET.NAME darknet53 does not have"));
  CHECK_THAT(said("cspdarknet53", dark),
             Contains("tensor backbone.stages.0.conv_exp.conv.weight: expected shape [any, 64, 1, 1], found no such "
                      "tensor"));
  CHECK_THAT(said("cspresnet50", deep),
             Contains("tensor backbone.stem.conv1.conv.weight: expected shape [any, 3, 7, 7], found [32, 3, 3, 3]") &&
                 Contains("tensor backbone.stem.conv2.conv.weight: expected no such tensor, found one, which "
                          "MODEL.CSPNET.NAME cspresnet50 does not have"));
  CHECK_THAT(said("cspresnet50d", resnet), Contains("tensor backbone.stem.conv2.conv.weight: expected shape [any, 64, "
                                                    "3, 3], found no such tensor"));
  CHECK_THAT(said("cspresnet50", resnext),
             Contains("tensor backbone.stages.0.blocks.0.conv2.conv.weight: expected shape [any, 128 "
                      "(MODEL.CSPNET.NAME cspresnet50 has 1 group), 3, 3], found [128, 4, 3, 3]"));
  CHECK_THAT(said("cspresnext50", resnet),
             Contains("tensor backbone.stages.0.blocks.0.conv2.conv.weight: expected shape [any, 2 (MODEL.CSPNET.NAME "
                      "cspresnext50 has 32 groups), 3, 3], found [64, 64, 3, 3]"));
  CHECK_THAT(said("cspresnet50", cross),
             Contains("tensor backbone.stages.0.conv_down.conv.weight: expected no such tensor, found one, which "
                      "MODEL.CSPNET.NAME cspresnet50 does not have") &&
                 Contains("tensor backbone.stages.4.conv_down.conv.weight: expected no such tensor"));
  CHECK_THAT(said("cspdarknet53", resnet),
             Contains("tensor backbone.stages.0.blocks.0.conv3.conv.weight: expected no such tensor, found one, which "
                      "MODEL.CSPNET.NAME cspdarknet53 does not have"));
  auto longer = dark;
  longer.shapes["backbone.stages.2.blocks.8.conv1.conv.weight"] = {128, 256, 1, 1};
  CHECK(said("darknet53", longer) ==
        "tensor backbone.stages.2.blocks.8.conv1.conv.weight: expected no such tensor, found one, which "
        "MODEL.CSPNET.NAME darknet53 does not have");
  auto odd = cross;
  odd.shapes["backbone.stages.1.conv_exp.conv.weight"] = {129, 128, 1, 1};
  CHECK_THAT(said("cspdarknet53", odd),
             Contains("tensor backbone.stages.1.conv_exp.conv.weight: expected an even number of rows, for "
                      "MODEL.CSPNET.NAME cspdarknet53 splits what it makes in halves, found 129"));
}

}  // namespace
}  // namespace maskrt::weights
