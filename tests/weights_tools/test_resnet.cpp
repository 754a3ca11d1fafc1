// ResNet: what its keys mean, its deformable stages, and what is said about weights that do not fit.
#include <array>
#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <tuple>

#include "built_backbone.h"

namespace maskrt::weights {
namespace {

using Catch::Matchers::Contains;

// ResNet with all of its stages as features.
BuiltBackbone resnet(Overrides settings = {}) {
  settings.insert(settings.begin(), {"MODEL.RESNETS.OUT_FEATURES", "['res2', 'res3', 'res4', 'res5']"});
  return build_backbone(settings);
}

const graph::Conv& conv(const BuiltBackbone& built, const std::string& name) { return layer<graph::Conv>(built, name); }

TEST_CASE("ResNet as detectron2's defaults have it") {
  const auto built = build_backbone({});
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
  CHECK(refusal({{"MODEL.RESNETS.OUT_FEATURES", "['res6']"}}) ==
        "MODEL.RESNETS.OUT_FEATURES (the test): expected stem, res2, res3, res4 or res5, found 'res6'");
  CHECK_THAT(refusal({{"MODEL.RESNETS.DEPTH", "51"}}), Contains("expected 18, 34, 50, 101 or 152, found 51"));
  CHECK_THAT(refusal({{"MODEL.RESNETS.DEFORM_NUM_GROUPS", "0"}}),
             Contains("MODEL.RESNETS.DEFORM_NUM_GROUPS (the test): expected an integer from 1 to"));
  CHECK_THAT(refusal({{"MODEL.RESNETS.DEFORM_MODULATED", "1"}}),
             Contains("MODEL.RESNETS.DEFORM_MODULATED (the test): expected True or False, found the integer 1"));
  // Basic blocks are never deformable, in detectron2 neither.
  for (const std::string depth : {"18", "34"})
    CHECK(refusal({{"MODEL.RESNETS.DEPTH", depth},
                   {"MODEL.RESNETS.RES2_OUT_CHANNELS", "64"},
                   {"MODEL.RESNETS.DEFORM_ON_PER_STAGE", "[False, False, True, True]"}}) ==
          "MODEL.RESNETS.DEFORM_ON_PER_STAGE (the test): expected no deformable stage for depth " + depth +
              ", found res4");
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
  const auto bare = build_backbone({{"MODEL.RESNETS.NORM", ""},
                                    {"MODEL.RESNETS.OUT_FEATURES", "['res2', 'res3', 'res4']"},
                                    {"MODEL.RESNETS.DEFORM_ON_PER_STAGE", "[False, False, False, True]"}});
  CHECK_THROWS(node(bare.graph, "backbone.stem.conv1.norm"));
  CHECK(bare.graph.find("backbone.res5") == -1);
}

const std::string kDeformable = "MODEL.RESNETS.DEFORM_ON_PER_STAGE";

TEST_CASE("a deformable ResNet") {
  const auto built = resnet({{kDeformable, "[False, False, True, True]"}, {"MODEL.RESNETS.STRIDE_IN_1X1", "False"}});
  graph::check(built.graph);
  CHECK(built.summary == "ResNet-50, deformable res4 and res5");
  CHECK(extent_of(built, "res5") == graph::Extent{1, 20, 27, 2048});
  CHECK(conv(built, "res3.3.conv2").stride == 1);
  for (const auto& [block, width, stride] :
       {std::tuple{"res4.0", 256, 2}, {"res4.5", 256, 1}, {"res5.0", 512, 2}, {"res5.2", 512, 1}}) {
    INFO(block);
    const std::string name = std::string(block) + ".conv2";
    const auto& deformed = layer<graph::DeformConv>(built, name);
    CHECK(deformed.weight->shape() == Shape{width, width, 3, 3});
    CHECK(!deformed.bias);
    CHECK(deformed.stride == stride);
    CHECK(deformed.padding == 1);
    CHECK(deformed.dilation == 1);
    CHECK(deformed.groups == 1);
    CHECK(deformed.offset_groups == 1);
    CHECK_FALSE(deformed.modulated);
    const auto& offsets = conv(built, name + "_offset");
    CHECK(offsets.weight->shape() == Shape{18, width, 3, 3});
    CHECK(offsets.bias->shape() == Shape{18});
    CHECK(offsets.stride == stride);
    CHECK(offsets.padding == 1);
    // Both read what the first convolution made, normed and activated; the norm stands behind the second.
    const std::string full = "backbone." + name;
    CHECK(reads_from(built.graph, full, 0) == "backbone." + std::string(block) + ".conv1.relu");
    CHECK(reads_from(built.graph, full + "_offset", 0) == reads_from(built.graph, full, 0));
    CHECK(reads_from(built.graph, full, 1) == full + "_offset");
    CHECK(reads_from(built.graph, full + ".norm", 0) == full);
  }
}

TEST_CASE("any stage may be deformable, with modulation, groups of offsets, groups and dilation") {
  const auto built = resnet({{kDeformable, "[True, False, False, True]"},
                             {"MODEL.RESNETS.DEFORM_MODULATED", "True"},
                             {"MODEL.RESNETS.DEFORM_NUM_GROUPS", "2"},
                             {"MODEL.RESNETS.NUM_GROUPS", "32"},
                             {"MODEL.RESNETS.WIDTH_PER_GROUP", "4"},
                             {"MODEL.RESNETS.RES5_DILATION", "2"}});
  graph::check(built.graph);
  CHECK(built.summary == "ResNet-50, 32 groups, deformable res2 and res5");
  CHECK(extent_of(built, "res5") == graph::Extent{1, 40, 54, 2048});
  for (const std::string stage : {"res2", "res5"}) {
    const auto& deformed = layer<graph::DeformConv>(built, stage + ".0.conv2");
    CHECK(deformed.groups == 32);
    CHECK(deformed.offset_groups == 2);
    CHECK(deformed.modulated);
    CHECK(deformed.stride == 1);
    CHECK(deformed.dilation == (stage == "res5" ? 2 : 1));
    CHECK(deformed.padding == deformed.dilation);
    const auto& offsets = conv(built, stage + ".0.conv2_offset");
    CHECK(offsets.weight->shape()[0] == 54);
    CHECK(offsets.groups == 1);
    CHECK(offsets.dilation == deformed.dilation);
    CHECK(offsets.padding == deformed.padding);
  }
  CHECK(conv(built, "res3.0.conv2").groups == 32);
  // The stride stays in conv1, so conv2 and its offsets have none.
  CHECK(layer<graph::DeformConv>(resnet({{kDeformable, "[False, True, False, False]"}}), "res3.0.conv2").stride == 1);
}

TEST_CASE("weights that are deformable where the config is not, and the reverse") {
  const Overrides plain = {{"MODEL.RESNETS.OUT_FEATURES", "['res2']"}};
  const auto with = [&plain](Overrides more) {
    more.insert(more.begin(), plain.begin(), plain.end());
    return more;
  };
  const Overrides deformable = with({{kDeformable, "[True, False, False, False]"}});
  const ShapedWeights of_plain = shapes_of(build_backbone(plain)),
                      of_deformable = shapes_of(build_backbone(deformable));
  CHECK(refusal(plain, &of_plain) == "built");
  CHECK(refusal(deformable, &of_deformable) == "built");

  const std::string block = "tensor backbone.res2.2.conv2_offset.";
  CHECK_THAT(refusal(plain, &of_deformable),
             Contains(block + "weight: expected no such tensor, found one, which makes conv2 deformable, but "
                              "MODEL.RESNETS.DEFORM_ON_PER_STAGE says it is not"));
  CHECK_THAT(refusal(deformable, &of_plain),
             Contains(block + "weight: expected shape [18 (MODEL.RESNETS.DEFORM_ON_PER_STAGE, DEFORM_MODULATED False, "
                              "DEFORM_NUM_GROUPS 1), 64, 3, 3], found no such tensor") &&
                 Contains(block + "bias: expected shape [18], found no such tensor"));

  CHECK_THAT(refusal(with({{kDeformable, "[True, False, False, False]"}, {"MODEL.RESNETS.DEFORM_MODULATED", "True"}}),
                     &of_deformable),
             Contains(block + "weight: expected shape [27 (MODEL.RESNETS.DEFORM_ON_PER_STAGE, DEFORM_MODULATED True, "
                              "DEFORM_NUM_GROUPS 1), 64, 3, 3], found [18, 64, 3, 3]"));
  CHECK_THAT(refusal(with({{kDeformable, "[True, False, False, False]"}, {"MODEL.RESNETS.DEFORM_NUM_GROUPS", "4"}}),
                     &of_deformable),
             Contains(block + "weight: expected shape [72 (MODEL.RESNETS.DEFORM_ON_PER_STAGE, DEFORM_MODULATED False, "
                              "DEFORM_NUM_GROUPS 4), 64, 3, 3], found [18, 64, 3, 3]"));
  CHECK_THAT(refusal(with({{kDeformable, "[True, False, False, False]"}, {"MODEL.RESNETS.DEFORM_NUM_GROUPS", "3"}})),
             Contains("layer backbone.res2.0.conv2: expected channels that its groups of offsets divide "
                      "(MODEL.RESNETS.DEFORM_ON_PER_STAGE, DEFORM_MODULATED False, DEFORM_NUM_GROUPS 3), found 64"));
}

}  // namespace
}  // namespace maskrt::weights
