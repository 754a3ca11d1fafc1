#include "published.h"

#include <string_view>
#include <utility>

namespace maskrt::weights {
namespace {

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

// A config that says `settings` besides what all share.
PublishedConfig with(std::string_view name, std::vector<Setting> settings) {
  settings.insert(settings.begin(), std::begin(kBase), std::end(kBase));
  return {name, std::move(settings)};
}

}  // namespace

// The `_aug` and `_fp16` configs train differently and infer alike.
std::vector<PublishedConfig> published_sparse_inst() {
  return {
      with("sparse_inst_cspdarknet53_giam",
           {kCspNet, kCspIn, kCspOut, kSoftDecoder, {"MODEL.CSPNET.NAME", "cspdarknet53"}}),
      with("sparse_inst_darknet53_giam", {kCspNet, kCspIn, kCspOut, {"MODEL.CSPNET.NAME", "darknet53"}}),
      with("sparse_inst_pvt_b1_giam", {kPvt, kPvtIn, {"MODEL.PVT.NAME", "b1"}}),
      with("sparse_inst_pvt_b2_li_giam", {kPvt, kPvtIn, {"MODEL.PVT.NAME", "b2"}, {"MODEL.PVT.LINEAR", "True"}}),
      with("sparse_inst_r101_dcn_giam", {kDepth101, kDeformable}),
      with("sparse_inst_r101_giam", {kDepth101}),
      with("sparse_inst_r50_base", {kBaseDecoder}),
      with("sparse_inst_r50_dcn_giam_aug", {kDeformable}),
      with("sparse_inst_r50_giam", {}),
      with("sparse_inst_r50_giam_aug", {}),
      with("sparse_inst_r50_giam_fp16", {}),
      with("sparse_inst_r50_giam_soft", {kSoftDecoder}),
      with("sparse_inst_r50vd_base", {kResNetD, kBaseDecoder}),
      with("sparse_inst_r50vd_dcn_giam", {kResNetD, kDeformable}),
      with("sparse_inst_r50vd_dcn_giam_aug", {kResNetD, kDeformable}),
      with("sparse_inst_r50vd_giam", {kResNetD}),
      with("sparse_inst_r50vd_giam_aug", {kResNetD}),
  };
}

}  // namespace maskrt::weights
