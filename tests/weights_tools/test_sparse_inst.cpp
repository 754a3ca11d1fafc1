// SparseInst's networks: against published sizes, and what is said about weights that do not fit.
#include <algorithm>
#include <array>
#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "networks.h"
#include "support/interpreter.h"
#include "weights_tools/builder/counter_generator.h"
#include "weights_tools/families/sparse_inst/published.h"

namespace maskrt::weights {
namespace {

using Catch::Matchers::Contains;

std::int64_t parameters(const BuiltModel& model) {
  std::int64_t sum = 0;
  for (const auto& tensor : model.tensors) sum += elements(tensor.shape);
  return sum;
}

// Parameters of the authors' code, and in how many tensors; `widths` are those of the features at strides 8, 16 and 32.
struct PublishedSize {
  std::int64_t parameters;
  std::size_t tensors;
  std::array<const char*, 3> features;
  std::array<std::int64_t, 3> widths;
};

constexpr std::array kRes = {"backbone.res3", "backbone.res4", "backbone.res5"};
constexpr std::array kCsp = {"backbone.csp2", "backbone.csp3", "backbone.csp4"};
constexpr std::array kP = {"backbone.p2", "backbone.p3", "backbone.p4"};
constexpr std::array<std::int64_t, 3> kResWidths = {512, 1024, 2048}, kCspWidths = {256, 512, 1024},
                                      kPWidths = {128, 320, 512};

const std::map<std::string, PublishedSize> kPublishedSizes = {
    // Of a soft decoder, the authors count softmax_bias besides: one number, which cancels in the softmax.
    {"sparse_inst_cspdarknet53_giam", {35533634 - 1, 388 - 1, kCsp, kCspWidths}},
    {"sparse_inst_darknet53_giam", {49501761, 312, kCsp, kCspWidths}},
    {"sparse_inst_pvt_b1_giam", {22164129, 228, kP, kPWidths}},
    {"sparse_inst_pvt_b2_li_giam", {30708641, 396, kP, kPWidths}},
    {"sparse_inst_r101_dcn_giam", {53148533, 624, kRes, kResWidths}},
    {"sparse_inst_r101_giam", {51945377, 572, kRes, kResWidths}},
    {"sparse_inst_r50_base", {31690613, 315, kRes, kResWidths}},
    {"sparse_inst_r50_dcn_giam_aug", {33398851, 335, kRes, kResWidths}},
    {"sparse_inst_r50_giam", {32901025, 317, kRes, kResWidths}},
    {"sparse_inst_r50_giam_aug", {32901025, 317, kRes, kResWidths}},
    {"sparse_inst_r50_giam_fp16", {32901025, 317, kRes, kResWidths}},
    {"sparse_inst_r50_giam_soft", {32901026 - 1, 318 - 1, kRes, kResWidths}},
    {"sparse_inst_r50vd_base", {31709973, 325, kRes, kResWidths}},
    {"sparse_inst_r50vd_dcn_giam", {33418211, 345, kRes, kResWidths}},
    {"sparse_inst_r50vd_dcn_giam_aug", {33418211, 345, kRes, kResWidths}},
    {"sparse_inst_r50vd_giam", {32920385, 327, kRes, kResWidths}},
    {"sparse_inst_r50vd_giam_aug", {32920385, 327, kRes, kResWidths}},
};

TEST_CASE("every published network is built, with as many parameters as the authors' code has") {
  CHECK(published_sparse_inst().size() == kPublishedSizes.size());
  for (const PublishedConfig& published : published_sparse_inst()) {
    const std::string name(published.name);
    INFO(name);
    const auto& size = kPublishedSizes.at(name);
    const auto built = build_random_model(config_of(name));
    CHECK(parameters(built) == size.parameters);
    CHECK(built.tensors.size() == size.tensors);
    const auto& model = built.description;
    graph::check(model.graph);
    const auto extents = graph::infer_extents(model.graph, 2, 640, 864);
    const auto extent = [&](const char* value) { return extents[static_cast<std::size_t>(model.graph.find(value))]; };
    CHECK(extent(size.features[0]) == graph::Extent{2, 80, 108, size.widths[0]});
    CHECK(extent(size.features[1]) == graph::Extent{2, 40, 54, size.widths[1]});
    CHECK(extent(size.features[2]) == graph::Extent{2, 20, 27, size.widths[2]});
    CHECK(extent("encoder") == graph::Extent{2, 80, 108, 256});
    CHECK(extent("iam_logits") == graph::Extent{2, 80, 108, name.ends_with("base") ? 100 : 400});
    CHECK(extent("class_logits") == graph::Extent{2, 100, 1, 80, true});
    CHECK(extent("objectness_logits") == graph::Extent{2, 100, 1, 1, true});
    CHECK(extent("mask_logits") == graph::Extent{2, 160, 216, 100});
    REQUIRE(model.graph.outputs.size() == 3);
    CHECK(model.graph.values[static_cast<std::size_t>(model.graph.outputs[0])].name == "class_logits");
    CHECK(model.graph.values[static_cast<std::size_t>(model.graph.outputs[1])].name == "objectness_logits");
    CHECK(model.graph.values[static_cast<std::size_t>(model.graph.outputs[2])].name == "mask_logits");
    CHECK(model.name == name);
    CHECK(graph::name_of(model.head) == "SparseInst");
    CHECK(model.preprocessing.rgb);
    CHECK(model.preprocessing.mean[0] == 123.675f);
    CHECK(model.preprocessing.min_size == 640);
    CHECK(model.preprocessing.max_size == 853);
    CHECK(model.preprocessing.size_divisibility == 32);
    CHECK(std::get<graph::SparseInstHead>(model.head).score_threshold == 0.005f);
    CHECK(std::get<graph::SparseInstHead>(model.head).mask_threshold == 0.45f);
    CHECK(model.categories.size() == 80);
  }
}

TEST_CASE("other parts are refused by name") {
  const auto refuse = [](const std::string& key, const std::string& value) {
    try {
      build_random_model(config_of("sparse_inst_r50_giam", {{key, value}}));
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("built");
  };
  CHECK_THAT(refuse("MODEL.SPARSE_INST.ENCODER.NAME", "FPNPPMEncoder"), Contains("found 'FPNPPMEncoder'"));
  CHECK_THAT(refuse("MODEL.SPARSE_INST.DECODER.NAME", "IAM"), Contains("GroupIAMSoftDecoder, found 'IAM'"));
  CHECK_THAT(refuse("MODEL.RESNETS.OUT_FEATURES", "['res3', 'res5']"),
             Contains("the backbone gives (res3, res5), found 'res4'"));
  // With RES5_DILATION 2 res5 is as large as res4, which the top-down path cannot double.
  CHECK_THAT(refuse("MODEL.RESNETS.RES5_DILATION", "2"), Contains("found 16 at res4 before 16"));
}

TEST_CASE("R-50 G-IAM has the parameters of the paper's layers") {
  const auto conv = [](std::int64_t out, std::int64_t in, std::int64_t kernel, bool bias) {
    return out * in * kernel * kernel + (bias ? out : 0);
  };
  std::int64_t backbone = conv(64, 3, 7, false) + 4 * 64;
  std::int64_t in = 64;
  for (const auto& [blocks, width] : {std::pair{3, 64}, {4, 128}, {6, 256}, {3, 512}}) {
    for (int i = 0; i < blocks; ++i) {
      backbone += conv(width, in, 1, false) + conv(width, width, 3, false) + conv(4 * width, width, 1, false) +
                  4 * (width + width + 4 * width);
      if (i == 0) backbone += conv(4 * width, in, 1, false) + 4 * 4 * width;
      in = 4 * width;
    }
  }
  const std::int64_t encoder = conv(256, 2048, 1, true) + conv(256, 1024, 1, true) + conv(256, 512, 1, true) +
                               3 * conv(256, 256, 3, true) + 4 * conv(64, 256, 1, true) + conv(256, 512, 1, true) +
                               conv(256, 768, 1, true);
  const std::int64_t branch = conv(256, 258, 3, true) + 3 * conv(256, 256, 3, true);
  const std::int64_t decoder = 2 * branch + conv(400, 64, 3, true) + conv(1024, 1024, 1, true) +
                               conv(80 + 128 + 1, 1024, 1, true) + conv(128, 256, 1, true);
  const auto model = build_random_model(config_of("sparse_inst_r50_giam"));
  CHECK(parameters(model) == backbone + encoder + decoder);
  CHECK(parameters(model) == 32901025);
  CHECK(model.tensors.size() == 317);
}

TEST_CASE("groups of the decoders") {
  const Overrides two = {{"MODEL.SPARSE_INST.DECODER.GROUPS", "2"}};
  const auto hard = build_random_model(config_of("sparse_inst_r50_giam", two));
  CHECK(operation<graph::Regroup>(hard.description.graph, "decoder.inst_branch.regroup").blocks ==
        4);  // whatever GROUPS says
  CHECK(operation<graph::Conv>(hard.description.graph, "decoder.inst_branch.iam_conv").groups == 2);
  const auto soft = build_random_model(config_of("sparse_inst_r50_giam_soft", two));
  CHECK(operation<graph::Regroup>(soft.description.graph, "decoder.inst_branch.regroup").blocks == 2);
  CHECK(std::holds_alternative<graph::SoftmaxMaps>(
      node(soft.description.graph, "decoder.inst_branch.softmax").operation));
  const auto base = build_random_model(config_of("sparse_inst_r50_base", two));
  CHECK(operation<graph::Conv>(base.description.graph, "decoder.inst_branch.iam_conv").groups == 1);
  CHECK_THROWS_WITH(
      build_random_model(config_of("sparse_inst_r50_giam", {{"MODEL.SPARSE_INST.DECODER.GROUPS", "3"}})),
      Contains("decoder.inst_branch.iam_conv: expected channels that its groups divide") && Contains("GROUPS is 3"));
}

TEST_CASE("widths come from the tensors, whatever the config says") {
  const auto narrow = config_of("sparse_inst_r50_giam", {{"MODEL.RESNETS.WIDTH_PER_GROUP", "8"},
                                                         {"MODEL.RESNETS.STEM_OUT_CHANNELS", "12"},
                                                         {"MODEL.RESNETS.RES2_OUT_CHANNELS", "20"},
                                                         {"MODEL.SPARSE_INST.ENCODER.NUM_CHANNELS", "24"},
                                                         {"MODEL.SPARSE_INST.DECODER.INST.DIM", "16"},
                                                         {"MODEL.SPARSE_INST.DECODER.MASK.DIM", "28"},
                                                         {"MODEL.SPARSE_INST.DECODER.KERNEL_DIM", "10"}});
  const auto made = build_random_model(narrow);
  const auto model = build_model(config_of("sparse_inst_r50_giam"), std::make_shared<ShapedWeights>(made));
  REQUIRE(model.tensors.size() == made.tensors.size());
  for (std::size_t i = 0; i < model.tensors.size(); ++i) CHECK(model.tensors[i].shape == made.tensors[i].shape);
  graph::check(model.description.graph);
}

TEST_CASE("all that is missing or misshapen is listed at once") {
  const auto config = config_of("sparse_inst_r50_giam");
  const ShapedWeights whole(build_random_model(config));
  REQUIRE(problems(config, whole) == "");

  auto broken = whole;
  broken.shapes.erase("backbone.stem.conv1.weight");
  broken.shapes.erase("backbone.res3.0.shortcut.weight");
  broken.shapes.erase("encoder.fusion.bias");
  broken.shapes["backbone.res4.5.conv2.weight"] = {256, 128, 3, 3};
  broken.shapes["decoder.inst_branch.cls_score.weight"] = {5, 1024};
  broken.shapes["decoder.inst_branch.objectness.bias"] = {};
  broken.shapes["decoder.mask_branch.projection.weight"] = {128, 256};
  CHECK(problems(config, broken) ==
        "the config and the weights disagree in 7 places\n"
        "  tensor backbone.stem.conv1.weight: expected shape [any, 3, 7, 7], found no such tensor\n"
        "  tensor backbone.res3.0.shortcut.weight: expected shape [512, 256, 1, 1], found no such tensor\n"
        "  tensor backbone.res4.5.conv2.weight: expected shape [any, 256 (MODEL.RESNETS.NUM_GROUPS is 1), 3, 3], found "
        "[256, 128, 3, 3]\n"
        "  tensor encoder.fusion.bias: expected shape [256], found no such tensor\n"
        "  tensor decoder.inst_branch.cls_score.weight: expected shape [80 (MODEL.SPARSE_INST.DECODER.NUM_CLASSES), "
        "1024], found [5, 1024]\n"
        "  tensor decoder.inst_branch.objectness.bias: expected shape [1], found []\n"
        "  tensor decoder.mask_branch.projection.weight: expected shape [128, 256, 1, 1], found [128, 256]");

  // Nothing at all: every tensor can be named, and a width that nobody knows spoils no other line.
  auto empty = whole;
  empty.shapes.clear();
  const auto all = problems(config, empty, 1000);
  CHECK_THAT(problems(config, empty), Contains("disagree in 317 places") && Contains("\n  and 310 more"));
  CHECK_THAT(all, Contains("disagree in 317 places"));
  CHECK(std::count(all.begin(), all.end(), '\n') == 317);
  CHECK(all.find("-1") == std::string::npos);
  auto zero = whole;
  for (auto& [name, shape] : zero.shapes) std::fill(shape.begin(), shape.end(), 0);
  CHECK_THAT(problems(config, zero), Contains("disagree in 317 places"));
}

TEST_CASE("weights of another network than the config's") {
  const auto giam = config_of("sparse_inst_r50_giam"), soft = config_of("sparse_inst_r50_giam_soft"),
             base = config_of("sparse_inst_r50_base"), deep = config_of("sparse_inst_r101_giam");
  const ShapedWeights of_giam(build_random_model(giam)), of_base(build_random_model(base)),
      of_deep(build_random_model(deep));
  auto of_soft = ShapedWeights(build_random_model(soft));
  of_soft.shapes["decoder.inst_branch.softmax_bias"] = {1};
  CHECK(problems(soft, of_soft) == "");
  CHECK_THAT(problems(giam, of_soft), Contains("softmax_bias: expected no such tensor") &&
                                          Contains("belongs to GroupIAMSoftDecoder, but") &&
                                          Contains("GroupIAMDecoder"));
  CHECK_THAT(problems(soft, of_giam), Contains("softmax_bias: expected shape [1], found no such tensor"));
  CHECK_THAT(problems(base, of_giam), Contains("fc.weight: expected no such tensor, found one, which BaseIAMDecoder"));
  CHECK_THAT(problems(giam, of_base), Contains("fc.weight: expected shape [any, 1024], found no such tensor"));
  CHECK_THAT(problems(giam, of_deep),
             Contains("backbone.res4.6.conv1.weight: expected no such tensor, found one, which "
                      "MODEL.RESNETS.DEPTH 50 does not have"));
  CHECK_THAT(problems(deep, of_giam, 1000), Contains("backbone.res4.22.conv3.weight"));

  const auto less = config_of("sparse_inst_r50_giam", {{"MODEL.SPARSE_INST.DECODER.INST.CONVS", "3"}});
  CHECK_THAT(problems(less, of_giam), Contains("inst_convs.6.weight: expected no such tensor") && Contains("CONVS 3"));
  const auto groups = config_of("sparse_inst_r50_giam", {{"MODEL.SPARSE_INST.DECODER.GROUPS", "2"}});
  CHECK_THAT(problems(groups, of_giam), Contains("expected the 2 groups of the config") && Contains("which makes 4"));
  const auto masks = config_of("sparse_inst_r50_giam", {{"MODEL.SPARSE_INST.DECODER.NUM_MASKS", "50"}});
  CHECK_THAT(problems(masks, of_giam),
             Contains("[200 (MODEL.SPARSE_INST.DECODER.NUM_MASKS 50 x GROUPS 4)") && Contains("found [400, 64, 3, 3]"));
  auto offsets = of_giam;
  offsets.shapes["backbone.res4.0.conv2_offset.weight"] = {18, 256, 3, 3};
  CHECK_THAT(problems(giam, offsets), Contains("makes conv2 deformable"));
  const auto bare = config_of("sparse_inst_r50_giam", {{"MODEL.RESNETS.NORM", ""}});
  CHECK_THAT(problems(bare, of_giam), Contains("backbone.stem.conv1.norm.weight: expected no such tensor"));
}

// FNV-1a over the names of all tensors and the bits of the range that each is drawn from.
std::uint64_t hash_of_ranges(const BuiltModel& model) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  const auto add = [&hash](std::uint32_t bits) {
    for (int i = 0; i < 4; ++i, bits >>= 8) hash = (hash ^ (bits & 0xff)) * 0x100000001b3u;
  };
  for (const auto& tensor : model.tensors) {
    for (const char c : tensor.name) add(static_cast<unsigned char>(c));
    const UniformRange range = range_of(tensor.fill, tensor.shape);
    add(std::bit_cast<std::uint32_t>(range.offset));
    add(std::bit_cast<std::uint32_t>(range.scale));
  }
  return hash;
}

TEST_CASE("random weights are those with which the documented times were measured") {
  CHECK(random_weights(config_of("sparse_inst_r50_giam"))->floats({"a", {1}, {.scale = 1}}) ==
        generate("6:a", 1, 1, 0));
  CHECK(hash_of_ranges(build_random_model(config_of("sparse_inst_r50_giam"))) == 0x91c5ed1f884050e6u);
  CHECK(hash_of_ranges(build_random_model(config_of("sparse_inst_r50_base"))) == 0x53e41ed6f0a458ccu);
  CHECK(hash_of_ranges(build_random_model(config_of("sparse_inst_r101_giam"))) == 0x823c057c43d87bc0u);
  CHECK(hash_of_ranges(build_random_model(config_of(
            "sparse_inst_r50_giam_soft",
            {{"MODEL.RESNETS.DEPTH", "18"}, {"MODEL.RESNETS.RES2_OUT_CHANNELS", "64"}}))) == 0x9d166f2ade28a611u);
}

double root_mean_square(const std::vector<double>& data) {
  double square = 0;
  for (const double v : data) square += v * v;
  return std::sqrt(square / static_cast<double>(data.size()));
}

void check_random_network(const NetworkConfig& config) {
  const auto model = build_random_model(config);
  const graph::Graph& graph = model.description.graph;
  const graph::Extent extent{1, 64, 64, 3, false};
  const auto image = generate("image", extent.elements(), 2, 0);
  const auto values = testing::interpret(graph, testing::from_nchw(extent, image));
  const auto data = [&](const std::string& value) -> const std::vector<double>& {
    return values[static_cast<std::size_t>(graph.find(value))].data;
  };
  std::vector<std::string> checked = {"encoder", "mask_logits"};
  for (const auto& features : {kRes, kCsp, kP})  // those of the backbone that the network has
    for (const char* feature : features)
      if (graph.find(feature) >= 0) checked.emplace_back(feature);
  REQUIRE(checked.size() == 5);
  for (const std::string& value : checked) {
    INFO(value);
    const double rms = root_mean_square(data(value));
    CHECK(rms > 0.2);
    CHECK(rms < 60);
  }
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  const auto& classes = data("class_logits");
  int kept = 0;
  for (std::size_t n = 0; n < 100; ++n) {
    const double best = *std::max_element(classes.begin() + static_cast<std::ptrdiff_t>(80 * n),
                                          classes.begin() + static_cast<std::ptrdiff_t>(80 * (n + 1)));
    kept += std::sqrt(sigmoid(best) * sigmoid(data("objectness_logits")[n])) > 0.1;
  }
  CHECK(kept > 0);
}

TEST_CASE("random networks stay within bounds at any depth and with any backbone, and find something") {
  const auto check = [](const std::string& name, Overrides overrides) {
    for (const char* key : {"ENCODER.NUM_CHANNELS", "DECODER.INST.DIM", "DECODER.MASK.DIM"})
      overrides.emplace_back(std::string("MODEL.SPARSE_INST.") + key, "32");
    const auto config = config_of(name, overrides);
    INFO(name << ", " << config.network->summary());
    check_random_network(config);
  };
  for (const char* name : {"sparse_inst_r50_giam", "sparse_inst_r50_base"})
    for (const char* depth : {"18", "152"})
      check(name, {{"MODEL.RESNETS.DEPTH", depth},
                   {"MODEL.RESNETS.WIDTH_PER_GROUP", "8"},
                   {"MODEL.RESNETS.STEM_OUT_CHANNELS", "16"},
                   {"MODEL.RESNETS.RES2_OUT_CHANNELS", "32"}});
  check("sparse_inst_r50vd_dcn_giam", {});
  check("sparse_inst_cspdarknet53_giam", {});
  check("sparse_inst_pvt_b2_li_giam", {});
  check("sparse_inst_pvt_b1_giam", {{"MODEL.PVT.NAME", "b5"}});  // the most blocks of all
}

}  // namespace
}  // namespace maskrt::weights
