// ResNet-D: its keys, its names and strides, and what is said about weights that do not fit.
#include <array>
#include <catch2/catch.hpp>
#include <string>
#include <tuple>

#include "built_backbone.h"

namespace maskrt::weights {
namespace {

using Catch::Matchers::Contains;

const std::string kDeformable = "MODEL.RESNETS.DEFORM_ON_PER_STAGE";

Overrides with(const Overrides& more) {
  Overrides settings = {{"MODEL.BACKBONE.NAME", "build_resnet_vd_backbone"}};
  settings.insert(settings.end(), more.begin(), more.end());
  return settings;
}

BuiltBackbone resnet_d(const Overrides& more = {}) { return build_backbone(with(more)); }

TEST_CASE("ResNet-D has a deep stem, strides in the 3x3 convolutions, and shortcuts that average") {
  const auto built = resnet_d();
  graph::check(built.graph);
  CHECK(built.summary == "ResNet-50-D");
  CHECK(built.first_layer == "backbone.conv1.0");
  for (const auto& [name, shape, stride] : {std::tuple{"conv1.0", Shape{32, 3, 3, 3}, 2},
                                            {"conv1.3", Shape{32, 32, 3, 3}, 1},
                                            {"conv1.6", Shape{64, 32, 3, 3}, 1},
                                            {"layer1.0.conv1", Shape{64, 64, 1, 1}, 1},
                                            {"layer2.0.conv1", Shape{128, 256, 1, 1}, 1},
                                            {"layer2.0.conv2", Shape{128, 128, 3, 3}, 2},
                                            {"layer2.1.conv2", Shape{128, 128, 3, 3}, 1},
                                            {"layer4.2.conv3", Shape{2048, 512, 1, 1}, 1},
                                            {"layer4.0.downsample.1", Shape{2048, 1024, 1, 1}, 1}}) {
    INFO(name);
    const auto& conv = layer<graph::Conv>(built, name);
    CHECK(conv.weight->shape() == shape);
    CHECK(conv.stride == stride);
    CHECK(conv.padding == (shape[2] == 3 ? 1 : 0));
    CHECK(!conv.bias);
  }
  for (const auto& [norm, conv] : {std::pair{"conv1.1", "conv1.0"},
                                   {"conv1.4", "conv1.3"},
                                   {"bn1", "conv1.6"},
                                   {"layer3.5.bn2", "layer3.5.conv2"},
                                   {"layer3.0.downsample.2", "layer3.0.downsample.1"}}) {
    INFO(norm);
    layer<graph::BatchNorm>(built, norm);
    CHECK(reads_from(built.graph, std::string("backbone.") + norm, 0) == std::string("backbone.") + conv);
  }
  // Means of 2x2, of what the whole block reads; where the stride is 1, none.
  for (const std::string stage : {"layer2", "layer3", "layer4"}) {
    const auto& pool = layer<graph::AveragePool>(built, stage + ".0.downsample.0");
    CHECK(pool.kernel == 2);
    CHECK(pool.stride == 2);
    CHECK(reads_from(built.graph, "backbone." + stage + ".0.downsample.0", 0) ==
          reads_from(built.graph, "backbone." + stage + ".0.conv1", 0));
    CHECK(reads_from(built.graph, "backbone." + stage + ".0.downsample.1", 0) ==
          "backbone." + stage + ".0.downsample.0");
  }
  CHECK_THROWS(layer<graph::AveragePool>(built, "layer1.0.downsample.0"));
  CHECK(layer<graph::Conv>(built, "layer1.0.downsample.1").weight->shape() == Shape{256, 64, 1, 1});
  CHECK_THROWS(layer<graph::Conv>(built, "layer2.1.downsample.1"));
  REQUIRE(built.features.size() == 4);
  CHECK(extent_of(built, "res2") == graph::Extent{1, 160, 216, 256});
  CHECK(extent_of(built, "res3") == graph::Extent{1, 80, 108, 512});
  CHECK(extent_of(built, "res4") == graph::Extent{1, 40, 54, 1024});
  CHECK(extent_of(built, "res5") == graph::Extent{1, 20, 27, 2048});
  CHECK(built.graph.find("backbone.res5") == built.features.at("res5").value);
  // As the authors' code counts them.
  CHECK(parameters(built.tensors) == 23580512);
  CHECK(built.tensors.size() == 275);
}

TEST_CASE("ResNet-D's depths and deformable stages") {
  const auto deep = resnet_d({{"MODEL.RESNETS.DEPTH", "101"}, {kDeformable, "[False, True, False, True]"}});
  graph::check(deep.graph);
  CHECK(deep.summary == "ResNet-101-D, deformable res3 and res5");
  layer<graph::Conv>(deep, "layer3.22.conv2");
  const auto& deformed = layer<graph::DeformConv>(deep, "layer2.0.conv2");
  CHECK(deformed.stride == 2);
  CHECK(deformed.offset_groups == 1);
  CHECK_FALSE(deformed.modulated);
  CHECK(layer<graph::Conv>(deep, "layer2.0.conv2_offset").weight->shape() == Shape{18, 128, 3, 3});
  CHECK(layer<graph::Conv>(deep, "layer2.0.conv2_offset").stride == 2);
  CHECK(reads_from(deep.graph, "backbone.layer2.0.bn2", 0) == "backbone.layer2.0.conv2");

  const auto published = resnet_d({{kDeformable, "[False, False, True, True]"}});
  CHECK(parameters(published.tensors) == 24078338);
  CHECK(published.tensors.size() == 293);

  for (const std::string depth : {"18", "34", "152"})
    CHECK(refusal(with({{"MODEL.RESNETS.DEPTH", depth}})) ==
          "MODEL.RESNETS.DEPTH (the test): expected 50 or 101 for ResNet-D, found " + depth);
  // The authors' code makes a batch norm of every name.
  for (const std::string norm : {"FrozenBN", "BN", "SyncBN", "", "GN"})
    CHECK(resnet_d({{"MODEL.RESNETS.NORM", norm}}).tensors.size() == 275);
}

TEST_CASE("weights that ResNet-D's config does not have") {
  const ShapedWeights plain = shapes_of(resnet_d()),
                      deformable = shapes_of(resnet_d({{kDeformable, "[False, False, True, True]"}})),
                      deep = shapes_of(resnet_d({{"MODEL.RESNETS.DEPTH", "101"}}));
  CHECK_THAT(refusal(with({}), &deformable),
             Contains("tensor backbone.layer3.0.conv2_offset.weight: expected no such tensor, found one, which makes "
                      "conv2 deformable, but MODEL.RESNETS.DEFORM_ON_PER_STAGE says it is not"));
  CHECK_THAT(refusal(with({{kDeformable, "[False, False, True, True]"}}), &plain),
             Contains("tensor backbone.layer3.0.conv2_offset.weight: expected shape [18 "
                      "(MODEL.RESNETS.DEFORM_ON_PER_STAGE), 256, 3, 3], found no such tensor"));
  auto modulated = deformable;
  modulated.shapes["backbone.layer4.1.conv2_offset.weight"] = {27, 512, 3, 3};
  modulated.shapes["backbone.layer4.1.conv2_offset.bias"] = {27};
  CHECK_THAT(refusal(with({{kDeformable, "[False, False, True, True]"}}), &modulated),
             Contains("tensor backbone.layer4.1.conv2_offset.weight: expected shape [18 "
                      "(MODEL.RESNETS.DEFORM_ON_PER_STAGE), 512, 3, 3], found [27, 512, 3, 3]"));
  CHECK_THAT(refusal(with({}), &deep), Contains("tensor backbone.layer3.6.conv1.weight: expected no such tensor, found "
                                                "one, which MODEL.RESNETS.DEPTH 50 does not have"));
  CHECK_THAT(refusal(with({{"MODEL.RESNETS.DEPTH", "101"}}), &plain, 1000),
             Contains("tensor backbone.layer3.22.bn3.running_var: expected shape [1024], found no such tensor"));
  auto torn = plain;
  torn.shapes.erase("backbone.layer2.0.downsample.1.weight");
  CHECK(refusal(with({}), &torn)
            .find("tensor backbone.layer2.0.downsample.1.weight: expected shape [512, 256, 1, 1], "
                  "found no such tensor") == 0);
}

}  // namespace
}  // namespace maskrt::weights
