#include "published.h"

#include <string_view>

namespace maskrt::weights {
namespace {

// What all of them share.
constexpr Setting kBase[] = {
    {"MODEL.META_ARCHITECTURE", "FastInst"},
    {"MODEL.PIXEL_MEAN", "[123.675, 116.28, 103.53]"},
    {"MODEL.PIXEL_STD", "[58.395, 57.12, 57.375]"},
    {"MODEL.BACKBONE.NAME", "build_resnet_backbone"},
    {"MODEL.RESNETS.DEPTH", "50"},
    {"MODEL.SEM_SEG_HEAD.NAME", "FastInstHead"},
    {"MODEL.SEM_SEG_HEAD.NUM_CLASSES", "80"},
    {"MODEL.SEM_SEG_HEAD.CONVS_DIM", "256"},
    {"MODEL.SEM_SEG_HEAD.MASK_DIM", "256"},
    {"MODEL.SEM_SEG_HEAD.NORM", "GN"},
    {"MODEL.SEM_SEG_HEAD.PIXEL_DECODER_NAME", "PyramidPoolingModuleFPN"},
    {"MODEL.SEM_SEG_HEAD.IN_FEATURES", "['res3', 'res4', 'res5']"},
    {"MODEL.FASTINST.TRANSFORMER_DECODER_NAME", "FastInstDecoder"},
    {"MODEL.FASTINST.HIDDEN_DIM", "256"},
    {"MODEL.FASTINST.NUM_OBJECT_QUERIES", "100"},
    {"MODEL.FASTINST.NUM_AUX_QUERIES", "8"},
    {"MODEL.FASTINST.NHEADS", "8"},
    {"MODEL.FASTINST.DIM_FEEDFORWARD", "1024"},
    {"MODEL.FASTINST.PRE_NORM", "False"},
    {"MODEL.FASTINST.SIZE_DIVISIBILITY", "32"},
    {"MODEL.FASTINST.DEC_LAYERS", "1"},
    {"MODEL.FASTINST.TEST.SEMANTIC_ON", "False"},
    {"MODEL.FASTINST.TEST.INSTANCE_ON", "True"},
    {"MODEL.FASTINST.TEST.PANOPTIC_ON", "False"},
    {"MODEL.FASTINST.TEST.OVERLAP_THRESHOLD", "0.8"},
    {"MODEL.FASTINST.TEST.OBJECT_MASK_THRESHOLD", "0.8"},
    {"DATASETS.TRAIN", "('coco_2017_train',)"},
    {"INPUT.MIN_SIZE_TEST", "640"},
    {"INPUT.MAX_SIZE_TEST", "853"},
    {"INPUT.FORMAT", "RGB"},
};

// Only detectron2's ResNet reads these.
constexpr Setting kResNet[] = {
    {"MODEL.RESNETS.STEM_OUT_CHANNELS", "64"},
    {"MODEL.RESNETS.STRIDE_IN_1X1", "False"},
    {"MODEL.RESNETS.OUT_FEATURES", "['res3', 'res4', 'res5']"},
};
constexpr Setting kDeformableResNetD[] = {
    {"MODEL.BACKBONE.NAME", "build_resnet_vd_backbone"},
    {"MODEL.RESNETS.DEFORM_ON_PER_STAGE", "[False, False, True, True]"},
};
// Sizes of the configs whose names end in 576.
constexpr Setting kSmall[] = {{"INPUT.MIN_SIZE_TEST", "576"}, {"INPUT.MAX_SIZE_TEST", "777"}};
constexpr Setting kThreeLayers[] = {{"MODEL.FASTINST.DEC_LAYERS", "3"}};
constexpr Setting kDepth101[] = {{"MODEL.RESNETS.DEPTH", "101"}};

template <typename... Parts>
PublishedConfig with(std::string_view name, const Parts&... parts) {
  PublishedConfig config{name, {std::begin(kBase), std::end(kBase)}};
  (config.settings.insert(config.settings.end(), std::begin(parts), std::end(parts)), ...);
  return config;
}

}  // namespace

std::vector<PublishedConfig> published_fast_inst() {
  return {
      with("fastinst_R50_ppm-fpn_x1_576", kResNet, kSmall),
      with("fastinst_R50_ppm-fpn_x3_640", kResNet, kThreeLayers),
      with("fastinst_R101_ppm-fpn_x3_640", kResNet, kThreeLayers, kDepth101),
      with("fastinst_R50-vd-dcn_ppm-fpn_x1_576", kDeformableResNetD, kSmall),
      with("fastinst_R50-vd-dcn_ppm-fpn_x3_640", kDeformableResNetD, kThreeLayers),
  };
}

}  // namespace maskrt::weights
