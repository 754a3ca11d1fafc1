// Pyramid Vision Transformer: its variants, its names and widths, and what is said about weights that do not fit.
#include <array>
#include <catch2/catch.hpp>
#include <string>

#include "built_backbone.h"

namespace maskrt::weights {
namespace {

using Catch::Matchers::Contains;

// The variant with all of its stages as features; "li" is the linear one.
Overrides settings_of(const std::string& name, const Overrides& more = {}) {
  Overrides settings = {{"MODEL.BACKBONE.NAME", "build_pyramid_vision_transformer"},
                        {"MODEL.PVT.NAME", name},
                        {"MODEL.PVT.LINEAR", name == "li" ? "True" : "False"},
                        {"MODEL.PVT.OUT_FEATURES", "['p1', 'p2', 'p3', 'p4']"}};
  settings.insert(settings.end(), more.begin(), more.end());
  return settings;
}

BuiltBackbone pvt(const std::string& name) { return build_backbone(settings_of(name)); }

struct Expected {
  const char *name, *summary;
  std::int64_t parameters;  // these two as the authors' code counts them
  std::size_t tensors;
  std::array<int, 4> blocks;
};

const Expected kExpected[] = {
    {"b0", "PVTv2-B0", 3409760, 176, {2, 2, 2, 2}},     {"b1", "PVTv2-B1", 13496000, 176, {2, 2, 2, 2}},
    {"b2", "PVTv2-B2", 24849856, 332, {3, 4, 6, 3}},    {"b3", "PVTv2-B3", 44725696, 572, {3, 4, 18, 3}},
    {"b4", "PVTv2-B4", 62043072, 832, {3, 8, 27, 3}},   {"b5", "PVTv2-B5", 81443008, 1052, {3, 6, 40, 3}},
    {"li", "PVTv2-B2-Li", 22040512, 344, {3, 4, 6, 3}},
};

TEST_CASE("every PVT has the blocks and the parameters of the authors' code") {
  for (const Expected& expected : kExpected) {
    const std::string name = expected.name;
    INFO(name);
    const auto built = pvt(name);
    graph::check(built.graph);
    CHECK(built.summary == expected.summary);
    CHECK(built.first_layer == "backbone.patch_embed1.proj");
    CHECK(parameters(built.tensors) == expected.parameters);
    CHECK(built.tensors.size() == expected.tensors);
    REQUIRE(built.features.size() == 4);
    const std::array<int, 4> widths = name == "b0" ? std::array{32, 64, 160, 256} : std::array{64, 128, 320, 512};
    for (std::size_t i = 0; i < 4; ++i) {
      const auto number = std::to_string(i + 1);
      const int stride = 4 << i;
      const auto last = "block" + number + "." + std::to_string(expected.blocks[i] - 1) + ".";
      CHECK(built.features.at("p" + number).stride == stride);
      CHECK(extent_of(built, "p" + number) == graph::Extent{1, 640 / stride, 864 / stride, widths[i]});
      CHECK(built.graph.find("backbone.p" + number) == built.features.at("p" + number).value);
      CHECK(layer<graph::Attention>(built, last + "attn.attention").heads == std::array{1, 2, 5, 8}[i]);
      CHECK(reads_from(built.graph, "backbone.norm" + number, 0) == "backbone." + last + "mlp.add");
      const int ratio = name != "b5" && i < 2 ? 8 : 4;
      CHECK(layer<graph::Linear>(built, last + "mlp.fc1").weight->shape() == Shape{ratio * widths[i], widths[i]});
    }
    CHECK(built.graph.nodes.size() < 4096);
  }
}

TEST_CASE("a block of PVT") {
  const auto built = pvt("b1");
  const std::string block = "backbone.block2.0.", before = "backbone.patch_embed2.";
  const auto& embed = layer<graph::Conv>(built, "patch_embed2.proj");
  CHECK(embed.weight->shape() == Shape{128, 64, 3, 3});
  CHECK(embed.stride == 2);
  CHECK(embed.padding == 1);
  CHECK(embed.bias);
  CHECK(reads_from(built.graph, before + "proj", 0) == "backbone.norm1");
  const auto& first = layer<graph::Conv>(built, "patch_embed1.proj");
  CHECK(first.weight->shape() == Shape{64, 3, 7, 7});
  CHECK(first.stride == 4);
  CHECK(first.padding == 3);

  // The residual passes by the norms; keys and values come from a reduced map.
  CHECK(reads_from(built.graph, block + "norm1", 0) == before + "norm");
  CHECK(reads_from(built.graph, block + "attn.q", 0) == block + "norm1");
  CHECK(reads_from(built.graph, block + "attn.sr", 0) == block + "norm1");
  CHECK(reads_from(built.graph, block + "attn.kv", 0) == block + "attn.norm");
  CHECK(reads_from(built.graph, block + "attn.attention", 0) == block + "attn.q");
  CHECK(reads_from(built.graph, block + "attn.attention", 1) == block + "attn.kv.first");
  CHECK(reads_from(built.graph, block + "attn.attention", 2) == block + "attn.kv.last");
  CHECK(layer<graph::Slice>(built, "block2.0.attn.kv.last").begin == 128);
  CHECK(reads_from(built.graph, block + "attn.add", 0) == before + "norm");
  CHECK(reads_from(built.graph, block + "attn.add", 1) == block + "attn.proj");
  CHECK(reads_from(built.graph, block + "norm2", 0) == block + "attn.add");
  CHECK(reads_from(built.graph, block + "mlp.dwconv.dwconv", 0) == block + "mlp.fc1");
  CHECK(reads_from(built.graph, block + "mlp.fc2", 0) == block + "mlp.act");
  CHECK(reads_from(built.graph, block + "mlp.add", 0) == block + "attn.add");
  const auto& reduction = layer<graph::Conv>(built, "block2.0.attn.sr");
  CHECK(reduction.weight->shape() == Shape{128, 128, 4, 4});
  CHECK(reduction.stride == 4);
  const auto& depthwise = layer<graph::Conv>(built, "block2.0.mlp.dwconv.dwconv");
  CHECK(depthwise.weight->shape() == Shape{1024, 1, 3, 3});
  CHECK(depthwise.groups == 1024);
  CHECK(depthwise.padding == 1);
  CHECK(depthwise.bias);
  CHECK(layer<graph::Activate>(built, "block2.0.mlp.act").activation == graph::Activation::gelu);
  CHECK(layer<graph::Linear>(built, "block2.0.attn.kv").of_map);
  for (const auto& [norm, epsilon] : {std::pair{"patch_embed2.norm", 1e-5},
                                      {"block2.0.attn.norm", 1e-5},
                                      {"block2.0.norm1", 1e-6},
                                      {"block2.0.norm2", 1e-6},
                                      {"norm2", 1e-6}})
    CHECK(layer<graph::LayerNorm>(built, norm).epsilon == epsilon);
  // The last stage has nothing to reduce.
  CHECK(reads_from(built.graph, "backbone.block4.0.attn.kv", 0) == "backbone.block4.0.norm1");
  CHECK_THROWS(layer<graph::Conv>(built, "block4.0.attn.sr"));

  // The linear variant reduces to 7 x 7 in every stage, and has a ReLU more.
  const auto linear = pvt("li");
  for (const std::string name : {"backbone.block1.0.", "backbone.block4.2."}) {
    CHECK(operation<graph::AdaptiveAveragePool>(linear.graph, name + "attn.pool").size == 7);
    CHECK(operation<graph::Conv>(linear.graph, name + "attn.sr").weight->shape()[2] == 1);
    CHECK(reads_from(linear.graph, name + "attn.sr", 0) == name + "attn.pool");
    CHECK(operation<graph::Activate>(linear.graph, name + "attn.act").activation == graph::Activation::gelu);
    CHECK(reads_from(linear.graph, name + "attn.kv", 0) == name + "attn.act");
    CHECK(reads_from(linear.graph, name + "mlp.dwconv.dwconv", 0) == name + "mlp.relu");
  }
}

TEST_CASE("keys of PVT with other values than its own") {
  const std::pair<std::string, std::string> backbone = {"MODEL.BACKBONE.NAME", "build_pyramid_vision_transformer"};
  const auto usual = build_backbone({backbone});
  CHECK(usual.summary == "PVTv2-B1");
  CHECK(usual.features.size() == 3);  // p2 to p4
  CHECK(refusal(settings_of("b6")) == "MODEL.PVT.NAME (the test): expected b0, b1, b2, b3, b4 or b5, found 'b6'");
  CHECK(refusal({backbone, {"MODEL.PVT.OUT_FEATURES", "['p2', 'p5']"}}) ==
        "MODEL.PVT.OUT_FEATURES (the test): expected p1, p2, p3 or p4, found 'p5'");
  CHECK_THAT(refusal({backbone, {"MODEL.PVT.LINEAR", "li"}}),
             Contains("MODEL.PVT.LINEAR (the test): expected True or False, found the string 'li'"));
  // The authors' code has one linear variant, whatever NAME says.
  CHECK(build_backbone({backbone, {"MODEL.PVT.NAME", "b5"}, {"MODEL.PVT.LINEAR", "True"}}).summary == "PVTv2-B2-Li");
  // Stages that nobody reads are not built.
  CHECK(build_backbone({backbone, {"MODEL.PVT.OUT_FEATURES", "['p2']"}}).graph.find("backbone.p3") == -1);
}

TEST_CASE("weights of another PVT than the config's") {
  const auto said = [](const std::string& name, const ShapedWeights& weights) {
    const auto settings = settings_of(name);
    return refusal(settings, &weights, 1000);
  };
  const ShapedWeights b1 = shapes_of(pvt("b1")), b2 = shapes_of(pvt("b2")), linear = shapes_of(pvt("li"));
  // b0's widths are b1's network, for all that the config says of it.
  CHECK(said("b0", b1) == "built");
  CHECK(said("b1", b2).find("tensor backbone.block1.2.norm1.weight: expected no such tensor, found one, which "
                            "MODEL.PVT.NAME b1 does not have") != std::string::npos);
  CHECK_THAT(said("b2", b1),
             Contains("tensor backbone.block3.5.mlp.fc2.bias: expected shape [any], found no such tensor") ||
                 Contains("tensor backbone.block3.5.norm1.weight: expected shape [320], found no such "
                          "tensor"));
  auto longer = linear;
  longer.shapes["backbone.block4.3.norm1.weight"] = {512};
  CHECK(said("li", longer) ==
        "tensor backbone.block4.3.norm1.weight: expected no such tensor, found one, which "
        "MODEL.PVT.LINEAR True does not have");

  CHECK_THAT(said("li", b2), Contains("tensor backbone.block1.0.attn.sr.weight: expected shape [64, 64, 1 "
                                      "(MODEL.PVT.LINEAR is True), 1], found [64, 64, 8, 8]") &&
                                 Contains("tensor backbone.block4.0.attn.sr.weight: expected shape [512, 512, 1 "
                                          "(MODEL.PVT.LINEAR is True), 1], found no such tensor") &&
                                 Contains("tensor backbone.block4.0.attn.norm.weight: expected shape [512 "
                                          "(MODEL.PVT.LINEAR is True)], found no such tensor"));
  CHECK_THAT(said("b2", linear),
             Contains("tensor backbone.block2.0.attn.sr.weight: expected shape [128, 128, 4 (MODEL.PVT.LINEAR is "
                      "False), 4], found [128, 128, 1, 1]") &&
                 Contains("tensor backbone.block4.1.attn.sr.weight: expected no such tensor, found one, which "
                          "MODEL.PVT.LINEAR False does not have in stage 4") &&
                 Contains("tensor backbone.block4.1.attn.norm.weight: expected no such tensor, found one, which "
                          "MODEL.PVT.LINEAR False does not have in stage 4"));
  auto torn = b1;
  torn.shapes.erase("backbone.block1.1.attn.norm.weight");
  CHECK_THAT(said("b1", torn), Contains("tensor backbone.block1.1.attn.norm.weight: expected shape [64 "
                                        "(MODEL.PVT.LINEAR is False)], found no such tensor"));

  // 5 heads do not divide 64 channels.
  auto narrow = b1;
  for (auto& [name, shape] : narrow.shapes)
    if (name.find("patch_embed3.") != std::string::npos) shape[0] = 64;
  CHECK_THAT(said("b1", narrow),
             Contains("tensor backbone.patch_embed3.proj.weight: expected rows that the 5 attention heads of stage 3 "
                      "divide (MODEL.PVT.NAME b1), found 64"));
  auto half = b1;
  half.shapes["backbone.block1.0.attn.kv.weight"] = {64, 64};
  CHECK_THAT(said("b1", half),
             Contains("tensor backbone.block1.0.attn.kv.weight: expected shape [128, 64], found [64, 64]"));
  // Widths that nobody knows, or that no network has, spoil nothing else.
  auto huge = b1;
  huge.shapes["backbone.patch_embed1.proj.weight"] = {std::int64_t{1} << 61, 0, 7, 7};
  CHECK_THAT(said("b1", huge),
             Contains("tensor backbone.patch_embed1.proj.weight: expected shape [any, 3, 7, 7], found "
                      "[2305843009213693952, 0, 7, 7]"));
  CHECK(said("b1", huge).find("[-") == std::string::npos);
  auto lost = b1;
  lost.shapes.erase("backbone.patch_embed3.proj.weight");
  lost.shapes.erase("backbone.block3.0.mlp.fc1.weight");
  CHECK(said("b1", lost).find("-1") == std::string::npos);
}

}  // namespace
}  // namespace maskrt::weights
