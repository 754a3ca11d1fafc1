#include "published.h"

#include <span>
#include <string_view>

namespace maskrt::weights {
namespace {

// What all of them share.
constexpr Setting kBase[] = {
    {"MODEL.META_ARCHITECTURE", "SparseInst"},
    {"MODEL.PIXEL_MEAN", "[123.675, 116.28, 103.53]"},
    {"MODEL.PIXEL_STD", "[58.395, 57.12, 57.375]"},
    {"MODEL.SPARSE_INST.ENCODER.NAME", "InstanceContextEncoder"},
    {"MODEL.SPARSE_INST.DECODER.NAME", "GroupIAMDecoder"},
    {"INPUT.MIN_SIZE_TEST", "640"},
    {"INPUT.MAX_SIZE_TEST", "853"},
    {"INPUT.FORMAT", "RGB"},
};

// What those with a backbone share.
constexpr Setting kResNet[] = {
    {"MODEL.BACKBONE.NAME", "build_resnet_backbone"},
    {"MODEL.RESNETS.NORM", "FrozenBN"},
    {"MODEL.RESNETS.DEPTH", "50"},
    {"MODEL.RESNETS.STRIDE_IN_1X1", "False"},
    {"MODEL.RESNETS.OUT_FEATURES", "['res3', 'res4', 'res5']"},
};
constexpr Setting kResNetD[] = {
    {"MODEL.BACKBONE.NAME", "build_resnet_vd_backbone"},
    {"MODEL.RESNETS.NORM", "FrozenBN"},
    {"MODEL.RESNETS.DEPTH", "50"},
};
constexpr Setting kCspNet[] = {
    {"MODEL.BACKBONE.NAME", "build_cspnet_backbone"},
    {"MODEL.CSPNET.OUT_FEATURES", "['csp2', 'csp3', 'csp4']"},
    {"MODEL.SPARSE_INST.ENCODER.IN_FEATURES", "['csp2', 'csp3', 'csp4']"},
};
constexpr Setting kPvt[] = {
    {"MODEL.BACKBONE.NAME", "build_pyramid_vision_transformer"},
    {"MODEL.PVT.OUT_FEATURES", "['p2', 'p3', 'p4']"},
    {"MODEL.SPARSE_INST.ENCODER.IN_FEATURES", "['p2', 'p3', 'p4']"},
};

constexpr Setting kBaseDecoder = {"MODEL.SPARSE_INST.DECODER.NAME", "BaseIAMDecoder"};
constexpr Setting kSoftDecoder = {"MODEL.SPARSE_INST.DECODER.NAME", "GroupIAMSoftDecoder"};
constexpr Setting kDepth101 = {"MODEL.RESNETS.DEPTH", "101"};
constexpr Setting kDeformable = {"MODEL.RESNETS.DEFORM_ON_PER_STAGE", "[False, False, True, True]"};

// A config that says `settings` besides what all share, and those with its backbone.
PublishedConfig with(std::string_view name, std::span<const Setting> backbone, const std::vector<Setting>& settings) {
  PublishedConfig config{name, {std::begin(kBase), std::end(kBase)}};
  config.settings.insert(config.settings.end(), backbone.begin(), backbone.end());
  config.settings.insert(config.settings.end(), settings.begin(), settings.end());
  return config;
}

}  // namespace

// The `_aug` and `_fp16` configs train differently and infer alike.
std::vector<PublishedConfig> published_sparse_inst() {
  return {
      with("sparse_inst_cspdarknet53_giam", kCspNet, {kSoftDecoder, {"MODEL.CSPNET.NAME", "cspdarknet53"}}),
      with("sparse_inst_darknet53_giam", kCspNet, {{"MODEL.CSPNET.NAME", "darknet53"}}),
      with("sparse_inst_pvt_b1_giam", kPvt, {{"MODEL.PVT.NAME", "b1"}}),
      with("sparse_inst_pvt_b2_li_giam", kPvt, {{"MODEL.PVT.NAME", "b2"}, {"MODEL.PVT.LINEAR", "True"}}),
      with("sparse_inst_r101_dcn_giam", kResNet, {kDepth101, kDeformable}),
      with("sparse_inst_r101_giam", kResNet, {kDepth101}),
      with("sparse_inst_r50_base", kResNet, {kBaseDecoder}),
      with("sparse_inst_r50_dcn_giam_aug", kResNet, {kDeformable}),
      with("sparse_inst_r50_giam", kResNet, {}),
      with("sparse_inst_r50_giam_aug", kResNet, {}),
      with("sparse_inst_r50_giam_fp16", kResNet, {}),
      with("sparse_inst_r50_giam_soft", kResNet, {kSoftDecoder}),
      with("sparse_inst_r50vd_base", kResNetD, {kBaseDecoder}),
      with("sparse_inst_r50vd_dcn_giam", kResNetD, {kDeformable}),
      with("sparse_inst_r50vd_dcn_giam_aug", kResNetD, {kDeformable}),
      with("sparse_inst_r50vd_giam", kResNetD, {}),
      with("sparse_inst_r50vd_giam_aug", kResNetD, {}),
  };
}

}  // namespace maskrt::weights
