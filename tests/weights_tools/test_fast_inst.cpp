// FastInst's configs and networks: against published sizes, and what is said about configs and weights that do not fit.
#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <vector>

#include "networks.h"
#include "weights_tools/config/yaml.h"
#include "weights_tools/families/fast_inst/config.h"
#include "weights_tools/families/fast_inst/published.h"

namespace maskrt::weights {
namespace {

using Catch::Matchers::Contains;

const std::string kPredictor = "sem_seg_head.predictor.";

std::int64_t parameters(const BuiltModel& model) {
  std::int64_t sum = 0;
  for (const auto& tensor : model.tensors) sum += elements(tensor.shape);
  return sum;
}

// Parameters of the authors' code, and in how many tensors.
struct PublishedSize {
  std::int64_t parameters;
  std::size_t tensors;
  int layers, min_size, max_size;
  const char* backbone;
};

const std::map<std::string, PublishedSize> kPublishedSizes = {
    {"fastinst_R50_ppm-fpn_x1_576", {29764275, 362, 1, 576, 777, "ResNet-50"}},
    {"fastinst_R50_ppm-fpn_x3_640", {34282837, 454, 3, 640, 853, "ResNet-50"}},
    {"fastinst_R101_ppm-fpn_x3_640", {53327189, 709, 3, 640, 853, "ResNet-101"}},
    {"fastinst_R50-vd-dcn_ppm-fpn_x1_576", {30281461, 390, 1, 576, 777, "ResNet-50-D, deformable res4 and res5"}},
    {"fastinst_R50-vd-dcn_ppm-fpn_x3_640", {34800023, 482, 3, 640, 853, "ResNet-50-D, deformable res4 and res5"}},
};

/// A head that is trained and not read: three layers that tell classes.
constexpr std::int64_t kUnreadHead = 2 * (256 * 256 + 256) + 81 * 256 + 81;

TEST_CASE("every published FastInst is built, with as many parameters as the authors' code has") {
  CHECK(published_fast_inst().size() == kPublishedSizes.size());
  for (const PublishedConfig& published : published_fast_inst()) {
    const std::string name(published.name);
    INFO(name);
    const PublishedSize& size = kPublishedSizes.at(name);
    const NetworkConfig config = config_of(name);
    CHECK(config.network->summary() ==
          std::string(size.backbone) + ", PyramidPoolingModuleFPN, FastInstDecoder-D" + std::to_string(size.layers));
    const BuiltModel built = build_random_model(config);
    CHECK(parameters(built) + size.layers * kUnreadHead == size.parameters);
    CHECK(built.tensors.size() + 6 * static_cast<std::size_t>(size.layers) == size.tensors);
    CHECK(built.names.size() == size.tensors);
    const auto& model = built.description;
    const auto extents = graph::infer_extents(model.graph, 2, 640, 864);
    const auto extent = [&](const char* value) { return extents[static_cast<std::size_t>(model.graph.find(value))]; };
    CHECK(extent("backbone.res5") == graph::Extent{2, 20, 27, 2048});
    CHECK(extent("pixel_decoder.0") == graph::Extent{2, 20, 27, 256});
    CHECK(extent("pixel_decoder.1") == graph::Extent{2, 40, 54, 256});
    CHECK(extent("pixel_decoder.2") == graph::Extent{2, 80, 108, 256});
    CHECK(extent("proposal_logits") == graph::Extent{2, 40, 54, 81});
    CHECK(extent("query_positions") == graph::Extent{2, 100, 1, 1, true, graph::Element::integer});
    CHECK(extent("query_features") == graph::Extent{2, 100, 1, 256, true});
    CHECK(extent("mask_logits_0") == graph::Extent{2, 80, 108, 100});
    CHECK(extent("mask_logits") == graph::Extent{2, 80, 108, 100});
    CHECK(extent("class_logits") == graph::Extent{2, 100, 1, 81, true});
    CHECK(model.preprocessing.rgb);
    CHECK(model.preprocessing.min_size == size.min_size);
    CHECK(model.preprocessing.max_size == size.max_size);
    CHECK(model.preprocessing.size_divisibility == 32);
    const auto& head = std::get<graph::FastInstHead>(model.head);
    CHECK(head.instances);
    CHECK_FALSE(head.semantic);
    CHECK_FALSE(head.panoptic);
    CHECK(head.detections == 100);
    REQUIRE(model.categories.size() == 80);
    CHECK(model.categories[79].id == 90);
  }
}

FastInstConfig read(const std::string& yaml) {
  const Config config{"test", parse_yaml(yaml, "test.yaml")};
  ConfigReader reader(config.root);
  return read_fast_inst_config(reader);
}

std::string refusal(const std::string& yaml) {
  try {
    read(yaml);
  } catch (const Error& error) {
    return error.what();
  }
  return "read";
}

// What no default of the code can build.
std::string named(const std::string& head, const std::string& fast_inst, const std::string& rest = "") {
  return "MODEL:\n  SEM_SEG_HEAD: {NAME: FastInstHead, PIXEL_DECODER_NAME: PyramidPoolingModuleFPN, CONVS_DIM: 256, "
         "IN_FEATURES: [res3, res4, res5]" +
         head + "}\n  FASTINST: {TRANSFORMER_DECODER_NAME: FastInstDecoder" + fast_inst + "}\n" + rest;
}

TEST_CASE("detectron2's and FastInst's defaults") {
  const FastInstConfig config = read(named("", ""));
  CHECK(config.pixel_decoder.norm == "GN");
  CHECK(config.decoder.classes == 54);
  CHECK(config.decoder.layers == 10);
  CHECK(config.decoder.queries == 100);
  CHECK(config.decoder.auxiliary_queries == 8);
  CHECK(config.decoder.heads == 8);
  CHECK(config.decoder.width == 256);
  CHECK(config.decoder.mask_width == 256);
  CHECK(config.decoder.feed_forward_width == 1024);
  CHECK_FALSE(config.decoder.pre_norm);
  CHECK(config.tasks.instances);
  CHECK_FALSE(config.tasks.semantic);
  CHECK_FALSE(config.tasks.panoptic);
  CHECK(config.tasks.resize_before_semantic);  // as instances are at the image's size
  CHECK(config.tasks.detections == 100);
  CHECK(config.input.size_divisibility == 0);  // -1: a ResNet's
  CHECK(config.input.min_size == 800);
  CHECK(config.datasets.empty());
  const FastInstConfig semantic = read(named("", ", TEST: {INSTANCE_ON: False, SEMANTIC_ON: True}"));
  CHECK_FALSE(semantic.tasks.resize_before_semantic);
}

TEST_CASE("what a FastInst config says that cannot be built is refused by its key") {
  CHECK_THAT(refusal("MODEL: {META_ARCHITECTURE: FastInst}"),
             Contains("MODEL.SEM_SEG_HEAD.NAME") && Contains("expected FastInstHead, found 'SemSegFPNHead'"));
  CHECK_THAT(refusal(named(", NORM: LN", "")),
             Contains("MODEL.SEM_SEG_HEAD.NORM (test.yaml, line 2)") && Contains("found 'LN'"));
  CHECK_THAT(refusal(named("", ", HIDDEN_DIM: 128")),
             Contains("MODEL.FASTINST.HIDDEN_DIM (test.yaml, line 3): expected the width of the pixel decoder, "
                      "MODEL.SEM_SEG_HEAD.CONVS_DIM 256, found 128"));
  CHECK_THAT(refusal(named("", ", TEST: {INSTANCE_ON: False}")), Contains("found none of them"));
  CHECK_THAT(refusal(named("", ", NUM_OBJECT_QUERIES: 4000")), Contains("an integer from 1 to 2048"));
  CHECK_THAT(refusal(named("", ", SIZE_DIVISIBILITY: -2")), Contains("SIZE_DIVISIBILITY"));
  const auto error = [](const Overrides& overrides) {
    try {
      build_random_model(config_of("fastinst_R50_ppm-fpn_x1_576", overrides));
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string("built");
  };
  CHECK_THAT(error({{"MODEL.SEM_SEG_HEAD.IN_FEATURES", "['res3', 'res5']"}}), Contains("three features or more"));
  CHECK_THAT(error({{"MODEL.SEM_SEG_HEAD.IN_FEATURES", "['res3', 'res4', 'p5']"}}), Contains("found 'p5'"));
  CHECK_THAT(error({{"MODEL.FASTINST.NHEADS", "7"}}), Contains("NHEADS: expected heads that divide the 256 channels"));
  CHECK_THAT(error({{"MODEL.SEM_SEG_HEAD.CONVS_DIM", "48"}, {"MODEL.FASTINST.HIDDEN_DIM", "48"}}),
             Contains("expected channels that 32 groups divide (MODEL.SEM_SEG_HEAD.NORM GN), found 48"));
}

TEST_CASE("any number of layers, auxiliary queries and levels, and any norm of the pixel decoder") {
  const auto built = [](Overrides overrides) {
    overrides.insert(overrides.end(), {{"MODEL.SEM_SEG_HEAD.CONVS_DIM", "64"}, {"MODEL.FASTINST.HIDDEN_DIM", "64"}});
    return build_random_model(config_of("fastinst_R50_ppm-fpn_x1_576", overrides)).description;
  };
  for (const char* layers : {"0", "2", "10"}) {
    const auto model = built({{"MODEL.FASTINST.DEC_LAYERS", layers}});
    graph::check(model.head, model.graph, graph::infer_extents(model.graph, 1, 320, 320));
    CHECK((model.graph.find("mask_logits_0") >= 0) == (std::string(layers) != "0"));
  }
  const auto bare = built({{"MODEL.FASTINST.NUM_AUX_QUERIES", "0"}, {"MODEL.SEM_SEG_HEAD.NORM", ""}});
  for (const graph::Node& one : bare.graph.nodes) {
    CHECK_FALSE(std::holds_alternative<graph::ConcatRows>(one.operation));
    CHECK_FALSE(std::holds_alternative<graph::GroupNorm>(one.operation));
  }
  CHECK(operation<graph::Conv>(bare.graph, "sem_seg_head.pixel_decoder.layer_1").bias != nullptr);
  const auto four = built({{"MODEL.SEM_SEG_HEAD.NORM", "SyncBN"},
                           {"MODEL.RESNETS.OUT_FEATURES", "['res2', 'res3', 'res4', 'res5']"},
                           {"MODEL.SEM_SEG_HEAD.IN_FEATURES", "['res2', 'res3', 'res4', 'res5']"}});
  CHECK(std::holds_alternative<graph::BatchNorm>(
      node(four.graph, "sem_seg_head.pixel_decoder.adapter_4.norm").operation));
  CHECK_THROWS_WITH(node(four.graph, "sem_seg_head.pixel_decoder.adapter_1"), Contains("no node"));
  const auto plain = built({{"MODEL.SEM_SEG_HEAD.PIXEL_DECODER_NAME", "BaseFPN"}});
  CHECK_THROWS_WITH(node(plain.graph, "sem_seg_head.pixel_decoder.ppm.bottleneck"), Contains("no node"));
}

TEST_CASE("attention layers read parts of one tensor, and queries beyond those that are selected have no masks") {
  const auto model = build_random_model(config_of("fastinst_R50_ppm-fpn_x1_576")).description;
  const std::string layer = kPredictor + "transformer_query_cross_attention_layers.0.multihead_attn";
  for (const auto& [part, rows] : {std::pair{"q", "[0:256]"}, {"k", "[256:512]"}, {"v", "[512:768]"}}) {
    const auto& linear = operation<graph::Linear>(model.graph, layer + "." + part);
    CHECK(linear.weight->name() == layer + ".in_proj_weight" + rows);
    CHECK(linear.bias->name() == layer + ".in_proj_bias" + rows);
    CHECK(linear.of_map == (std::string(part) != "q"));
  }
  CHECK(operation<graph::Attention>(model.graph, layer + ".attention").masked);
  CHECK_FALSE(operation<graph::Attention>(
                  model.graph, kPredictor + "transformer_mask_cross_attention_layers.0.multihead_attn.attention")
                  .masked);
}

TEST_CASE("weights of another FastInst than the config's") {
  const auto one = config_of("fastinst_R50_ppm-fpn_x1_576"), three = config_of("fastinst_R50_ppm-fpn_x3_640");
  ShapedWeights of_one(build_random_model(one)), of_three(build_random_model(three));
  const auto add_unread = [](ShapedWeights& weights, int layers) {
    for (int i = 0; i < layers; ++i)
      for (int k = 0; k < 3; ++k) {
        const std::string name =
            kPredictor + "class_embed_layers." + std::to_string(i) + ".layers." + std::to_string(k);
        weights.shapes[name + ".weight"] = {k == 2 ? 81 : 256, 256};
        weights.shapes[name + ".bias"] = {k == 2 ? 81 : 256};
      }
  };
  CHECK_THAT(problems(one, of_one, 100), Contains("class_embed_layers.0.layers.0.weight: expected shape [256, 256]"));
  add_unread(of_one, 1);
  add_unread(of_three, 3);
  CHECK(problems(one, of_one) == "");
  CHECK(problems(three, of_three) == "");
  CHECK_THAT(problems(one, of_three, 100),
             Contains("decoder_query_norm_layers.2.weight: expected no such tensor") && Contains("DEC_LAYERS 1"));
  CHECK_THAT(problems(three, of_one, 1000), Contains("transformer_mask_ffn_layers.2.norm.bias"));

  const auto bent = [&](const std::string& key, const std::string& value) {
    return problems(config_of("fastinst_R50_ppm-fpn_x1_576", {{key, value}}), of_one, 100);
  };
  CHECK_THAT(bent("MODEL.SEM_SEG_HEAD.NUM_CLASSES", "19"),
             Contains("[20 (MODEL.SEM_SEG_HEAD.NUM_CLASSES and one of none), 256], found [81, 256]"));
  CHECK_THAT(bent("MODEL.FASTINST.NUM_OBJECT_QUERIES", "300"),
             Contains("meta_pos_embed: expected shape [1, 256, 17 (MODEL.FASTINST.NUM_OBJECT_QUERIES 300), 17]"));
  CHECK_THAT(bent("MODEL.FASTINST.NUM_AUX_QUERIES", "4"), Contains("[4 (MODEL.FASTINST.NUM_AUX_QUERIES), 256]"));
  CHECK_THAT(bent("MODEL.FASTINST.NUM_AUX_QUERIES", "0"),
             Contains("empty_query_features.weight: expected no such tensor"));
  CHECK_THAT(bent("MODEL.SEM_SEG_HEAD.NORM", ""), Contains("adapter_3.norm.weight: expected no such tensor"));
  CHECK_THAT(bent("MODEL.SEM_SEG_HEAD.NORM", "BN"), Contains("adapter_3.norm.running_mean: expected shape [256]"));
  CHECK_THAT(bent("MODEL.SEM_SEG_HEAD.PIXEL_DECODER_NAME", "BaseFPN"), Contains("ppm.bottleneck.weight"));

  // Nothing at all: every tensor can be named.
  auto empty = of_one;
  empty.shapes.clear();
  const std::string all = problems(one, empty, 1000);
  CHECK_THAT(all, Contains("disagree in 362 places"));
  CHECK(all.find("-1") == std::string::npos);
}

TEST_CASE("classes are called as their dataset calls them, and those of an unknown one are things") {
  const auto categories = [](const std::string& dataset, const std::string& classes) {
    return config_of("fastinst_R50_ppm-fpn_x1_576",
                     {{"DATASETS.TRAIN", dataset}, {"MODEL.SEM_SEG_HEAD.NUM_CLASSES", classes}})
        .network->default_labels();
  };
  const auto things = [](const std::vector<Category>& all) {
    return std::count_if(all.begin(), all.end(), [](const Category& one) { return one.is_thing; });
  };
  const auto panoptic = categories("('coco_2017_train_panoptic',)", "133");
  CHECK(things(panoptic) == 80);
  CHECK(panoptic[80].name == "banner");
  CHECK(panoptic[80].id == 92);
  const auto cityscapes = categories("['cityscapes_fine_instance_seg_train']", "8");
  CHECK(things(cityscapes) == 8);
  CHECK(cityscapes[0].name == "person");
  CHECK(cityscapes[0].id == 24);
  const auto streets = categories("('cityscapes_fine_panoptic_train',)", "19");
  CHECK(things(streets) == 8);
  CHECK(streets[0].name == "road");
  CHECK(streets[0].color[0] == 128);
  CHECK(things(categories("('cityscapes_fine_sem_seg_train',)", "19")) == 8);
  const auto rooms = categories("('ade20k_panoptic_train',)", "150");
  CHECK(rooms.size() == 150);
  CHECK(things(rooms) == 100);
  CHECK(rooms[149].name == "flag");
  CHECK(categories("('ade20k_instance_train',)", "100")[0].name == "bed");
  for (const char* other : {"('mine',)", "('cityscapes_fine_panoptic_train',)", "()"}) {
    const auto unknown = categories(other, "5");
    CHECK(unknown.size() == 5);
    CHECK(things(unknown) == 5);
    CHECK(unknown[4].name == "class_4");
  }
}

}  // namespace
}  // namespace maskrt::weights
