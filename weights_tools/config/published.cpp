// The configs that SparseInst's authors published, as facts: what each says differently from detectron2's and
// SparseInst's code defaults, as far as inference reads it.
#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config.h"
#include "maskrt/types.hpp"
#include "python_literal.h"

namespace maskrt::weights {
namespace {

struct Setting {
  std::string_view key, value;
};

// What all of them share.
constexpr Setting kBase[] = {
    {"MODEL.META_ARCHITECTURE", "SparseInst"},
    {"MODEL.PIXEL_MEAN", "[123.675, 116.28, 103.53]"},
    {"MODEL.PIXEL_STD", "[58.395, 57.12, 57.375]"},
    {"MODEL.BACKBONE.NAME", "build_resnet_backbone"},
    {"MODEL.RESNETS.NORM", "FrozenBN"},
    {"MODEL.RESNETS.DEPTH", "50"},
    {"MODEL.RESNETS.STRIDE_IN_1X1", "False"},
    {"MODEL.RESNETS.OUT_FEATURES", "['res3', 'res4', 'res5']"},
    {"MODEL.SPARSE_INST.ENCODER.NAME", "InstanceContextEncoder"},
    {"MODEL.SPARSE_INST.DECODER.NAME", "GroupIAMDecoder"},
    {"INPUT.MIN_SIZE_TEST", "640"},
    {"INPUT.MAX_SIZE_TEST", "853"},
    {"INPUT.FORMAT", "RGB"},
};

constexpr Setting kBaseDecoder = {"MODEL.SPARSE_INST.DECODER.NAME", "BaseIAMDecoder"};
constexpr Setting kSoftDecoder = {"MODEL.SPARSE_INST.DECODER.NAME", "GroupIAMSoftDecoder"};
constexpr Setting kDepth101 = {"MODEL.RESNETS.DEPTH", "101"};
constexpr Setting kDeformable = {"MODEL.RESNETS.DEFORM_ON_PER_STAGE", "[False, False, True, True]"};
constexpr Setting kResNetD = {"MODEL.BACKBONE.NAME", "build_resnet_vd_backbone"};
constexpr Setting kCspNet = {"MODEL.BACKBONE.NAME", "build_cspnet_backbone"};
constexpr Setting kCspIn = {"MODEL.SPARSE_INST.ENCODER.IN_FEATURES", "['csp2', 'csp3', 'csp4']"};
constexpr Setting kCspOut = {"MODEL.CSPNET.OUT_FEATURES", "['csp2', 'csp3', 'csp4']"};
constexpr Setting kPvt = {"MODEL.BACKBONE.NAME", "build_pyramid_vision_transformer"};
constexpr Setting kPvtIn = {"MODEL.SPARSE_INST.ENCODER.IN_FEATURES", "['p2', 'p3', 'p4']"};

struct Published {
  std::string_view name;
  std::vector<Setting> settings;
};

// The `_aug` and `_fp16` configs train differently and infer alike.
const std::vector<Published>& table() {
  static const std::vector<Published> published = {
      {"sparse_inst_cspdarknet53_giam",
       {kCspNet, kCspIn, kCspOut, kSoftDecoder, {"MODEL.CSPNET.NAME", "cspdarknet53"}}},
      {"sparse_inst_darknet53_giam", {kCspNet, kCspIn, kCspOut, {"MODEL.CSPNET.NAME", "darknet53"}}},
      {"sparse_inst_pvt_b1_giam", {kPvt, kPvtIn, {"MODEL.PVT.NAME", "b1"}}},
      {"sparse_inst_pvt_b2_li_giam", {kPvt, kPvtIn, {"MODEL.PVT.NAME", "b2"}, {"MODEL.PVT.LINEAR", "True"}}},
      {"sparse_inst_r101_dcn_giam", {kDepth101, kDeformable}},
      {"sparse_inst_r101_giam", {kDepth101}},
      {"sparse_inst_r50_base", {kBaseDecoder}},
      {"sparse_inst_r50_dcn_giam_aug", {kDeformable}},
      {"sparse_inst_r50_giam", {}},
      {"sparse_inst_r50_giam_aug", {}},
      {"sparse_inst_r50_giam_fp16", {}},
      {"sparse_inst_r50_giam_soft", {kSoftDecoder}},
      {"sparse_inst_r50vd_base", {kResNetD, kBaseDecoder}},
      {"sparse_inst_r50vd_dcn_giam", {kResNetD, kDeformable}},
      {"sparse_inst_r50vd_dcn_giam_aug", {kResNetD, kDeformable}},
      {"sparse_inst_r50vd_giam", {kResNetD}},
      {"sparse_inst_r50vd_giam_aug", {kResNetD}},
  };
  return published;
}

}  // namespace

std::vector<std::string> published_names() {
  std::vector<std::string> names;
  for (const auto& published : table()) names.emplace_back(published.name);
  return names;
}

Config published_config(std::string_view name) {
  const auto& all = table();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Published& one) { return one.name == name; });
  if (found == all.end()) {
    std::string names;
    for (const auto& one : all) names += (names.empty() ? "" : ", ") + std::string(one.name);
    throw Error("expected --config to be a YAML file or one of " + names + "; found '" + std::string(name) + "'");
  }
  Config config;
  config.name = name;
  config.root.kind = ConfigValue::Kind::map;
  const Origin origin{std::make_shared<const std::string>("the published config " + config.name), 0};
  config.root.origin = origin;
  for (const auto& setting : kBase) set_dotted(config.root, setting.key, literal_or_string(setting.value, origin));
  for (const auto& setting : found->settings)
    set_dotted(config.root, setting.key, literal_or_string(setting.value, origin));
  return config;
}

}  // namespace maskrt::weights
