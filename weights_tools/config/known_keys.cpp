#include "known_keys.h"

#include <algorithm>
#include <cctype>

#include "graph/nearest_name.h"

namespace maskrt::weights {
namespace {

// clang-format off
constexpr KeySection kTraining[] = {
    // detectron2's defaults
    {"",
     "VERSION OUTPUT_DIR SEED CUDNN_BENCHMARK FLOAT32_PRECISION VIS_PERIOD"},
    {"MODEL",  // which checkpoint, and where it runs
     "DEVICE WEIGHTS"},
    {"INPUT",
     "MIN_SIZE_TRAIN MIN_SIZE_TRAIN_SAMPLING MAX_SIZE_TRAIN RANDOM_FLIP MASK_FORMAT"},
    {"INPUT.CROP",
     "ENABLED TYPE SIZE"},
    {"DATASETS",
     "PROPOSAL_FILES_TRAIN PRECOMPUTED_PROPOSAL_TOPK_TRAIN TEST PROPOSAL_FILES_TEST "
     "PRECOMPUTED_PROPOSAL_TOPK_TEST"},
    {"DATALOADER",
     "NUM_WORKERS ASPECT_RATIO_GROUPING SAMPLER_TRAIN REPEAT_THRESHOLD REPEAT_SQRT RANDOM_SUBSET_RATIO "
     "FILTER_EMPTY_ANNOTATIONS"},
    {"MODEL.BACKBONE",
     "FREEZE_AT"},
    {"MODEL.RPN",
     "BOUNDARY_THRESH IOU_THRESHOLDS IOU_LABELS BATCH_SIZE_PER_IMAGE POSITIVE_FRACTION BBOX_REG_LOSS_TYPE "
     "BBOX_REG_LOSS_WEIGHT SMOOTH_L1_BETA LOSS_WEIGHT PRE_NMS_TOPK_TRAIN POST_NMS_TOPK_TRAIN"},
    {"MODEL.ROI_HEADS",
     "IOU_THRESHOLDS IOU_LABELS BATCH_SIZE_PER_IMAGE POSITIVE_FRACTION PROPOSAL_APPEND_GT"},
    {"MODEL.ROI_BOX_HEAD",
     "BBOX_REG_LOSS_TYPE BBOX_REG_LOSS_WEIGHT SMOOTH_L1_BETA TRAIN_ON_PRED_BOXES USE_FED_LOSS "
     "FED_LOSS_FREQ_WEIGHT_POWER FED_LOSS_NUM_CLASSES"},
    {"MODEL.ROI_KEYPOINT_HEAD",
     "MIN_KEYPOINTS_PER_IMAGE NORMALIZE_LOSS_BY_VISIBLE_KEYPOINTS LOSS_WEIGHT"},
    {"MODEL.SEM_SEG_HEAD",
     "IGNORE_VALUE LOSS_WEIGHT"},
    {"MODEL.PANOPTIC_FPN",
     "INSTANCE_LOSS_WEIGHT"},
    {"MODEL.RETINANET",
     "IOU_THRESHOLDS IOU_LABELS PRIOR_PROB FOCAL_LOSS_GAMMA FOCAL_LOSS_ALPHA SMOOTH_L1_LOSS_BETA "
     "BBOX_REG_LOSS_TYPE"},
    {"SOLVER",
     "LR_SCHEDULER_NAME MAX_ITER BASE_LR BASE_LR_END MOMENTUM NESTEROV WEIGHT_DECAY WEIGHT_DECAY_NORM "
     "GAMMA STEPS NUM_DECAYS WARMUP_FACTOR WARMUP_ITERS WARMUP_METHOD RESCALE_INTERVAL "
     "CHECKPOINT_PERIOD IMS_PER_BATCH REFERENCE_WORLD_SIZE BIAS_LR_FACTOR WEIGHT_DECAY_BIAS"},
    {"SOLVER.CLIP_GRADIENTS",
     "ENABLED CLIP_TYPE CLIP_VALUE NORM_TYPE"},
    {"SOLVER.AMP",
     "ENABLED"},
    {"TEST",
     "EXPECTED_RESULTS EVAL_PERIOD KEYPOINT_OKS_SIGMAS"},
    {"TEST.AUG",
     "ENABLED MIN_SIZES MAX_SIZE FLIP"},
    {"TEST.PRECISE_BN",
     "ENABLED NUM_ITER"},
    {"GLOBAL",
     "HACK"},
};

constexpr KeySection kInference[] = {
    // detectron2's defaults
    {"MODEL",
     "LOAD_PROPOSALS MASK_ON KEYPOINT_ON META_ARCHITECTURE PIXEL_MEAN PIXEL_STD"},
    {"INPUT",
     "MIN_SIZE_TEST MAX_SIZE_TEST FORMAT"},
    {"MODEL.BACKBONE",
     "NAME"},
    {"MODEL.FPN",
     "IN_FEATURES OUT_CHANNELS NORM FUSE_TYPE"},
    {"MODEL.PROPOSAL_GENERATOR",
     "NAME MIN_SIZE"},
    {"MODEL.ANCHOR_GENERATOR",
     "NAME SIZES ASPECT_RATIOS ANGLES OFFSET"},
    {"MODEL.RPN",
     "HEAD_NAME IN_FEATURES BBOX_REG_WEIGHTS PRE_NMS_TOPK_TEST POST_NMS_TOPK_TEST NMS_THRESH CONV_DIMS"},
    {"MODEL.ROI_HEADS",
     "NAME NUM_CLASSES IN_FEATURES SCORE_THRESH_TEST NMS_THRESH_TEST"},
    {"MODEL.ROI_BOX_HEAD",
     "NAME BBOX_REG_WEIGHTS POOLER_RESOLUTION POOLER_SAMPLING_RATIO POOLER_TYPE NUM_FC FC_DIM NUM_CONV "
     "CONV_DIM NORM CLS_AGNOSTIC_BBOX_REG USE_SIGMOID_CE"},
    {"MODEL.ROI_BOX_CASCADE_HEAD",
     "BBOX_REG_WEIGHTS IOUS"},
    {"MODEL.ROI_MASK_HEAD",
     "NAME POOLER_RESOLUTION POOLER_SAMPLING_RATIO NUM_CONV CONV_DIM NORM CLS_AGNOSTIC_MASK "
     "POOLER_TYPE"},
    {"MODEL.ROI_KEYPOINT_HEAD",
     "NAME POOLER_RESOLUTION POOLER_SAMPLING_RATIO CONV_DIMS NUM_KEYPOINTS POOLER_TYPE"},
    {"MODEL.SEM_SEG_HEAD",
     "NAME IN_FEATURES NUM_CLASSES CONVS_DIM COMMON_STRIDE NORM"},
    {"MODEL.PANOPTIC_FPN.COMBINE",
     "ENABLED OVERLAP_THRESH STUFF_AREA_LIMIT INSTANCES_CONFIDENCE_THRESH"},
    {"MODEL.RETINANET",
     "NUM_CLASSES IN_FEATURES NUM_CONVS SCORE_THRESH_TEST TOPK_CANDIDATES_TEST NMS_THRESH_TEST "
     "BBOX_REG_WEIGHTS NORM"},
    {"MODEL.RESNETS",
     "DEPTH OUT_FEATURES NUM_GROUPS NORM WIDTH_PER_GROUP STRIDE_IN_1X1 RES5_DILATION RES2_OUT_CHANNELS "
     "STEM_OUT_CHANNELS DEFORM_ON_PER_STAGE DEFORM_MODULATED DEFORM_NUM_GROUPS"},
    {"DATASETS",  // classes are called as their dataset calls them
     "TRAIN"},
    {"TEST",
     "DETECTIONS_PER_IMAGE"},
    // backbones that SparseInst adds
    {"MODEL.PVT",
     "NAME OUT_FEATURES LINEAR"},
    {"MODEL.CSPNET",
     "NAME NORM OUT_FEATURES"},
};
// clang-format on

std::string in_capitals(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

}  // namespace

std::vector<std::string> dotted_keys(std::span<const KeySection> sections) {
  std::vector<std::string> list;
  for (const auto& section : sections) {
    const std::string prefix = section.name.empty() ? "" : std::string(section.name) + ".";
    for (std::string_view keys = section.keys; !keys.empty();) {
      const auto blank = std::min(keys.find(' '), keys.size());
      list.push_back(prefix + std::string(keys.substr(0, blank)));
      keys.remove_prefix(std::min(blank + 1, keys.size()));
    }
  }
  return list;
}

const std::vector<std::string>& training_keys() {
  static const std::vector<std::string> list = dotted_keys(kTraining);
  return list;
}

const std::vector<std::string>& inference_keys() {
  static const std::vector<std::string> list = dotted_keys(kInference);
  return list;
}

bool is_key_or_section(std::string_view key, const std::vector<std::string>& keys) {
  return std::any_of(keys.begin(), keys.end(), [key](const std::string& known) {
    return known == key || (known.size() > key.size() && known.starts_with(key) && known[key.size()] == '.');
  });
}

std::string nearest_key(const std::string& key, const std::vector<std::string>& candidates) {
  const std::string ending = "." + in_capitals(key);
  for (const auto& candidate : candidates)
    if (candidate == ending.substr(1) || candidate.ends_with(ending)) return candidate;
  const std::string near = nearest_name(key, candidates);
  return near.empty() ? nearest_name(in_capitals(key), candidates) : near;
}

std::vector<std::string> likely_mistakes(const std::vector<std::string>& keys, const std::vector<std::string>& known) {
  constexpr std::size_t kMostEdits = 2, kMostKeys = 256;
  std::vector<std::string> sentences;
  for (std::size_t i = 0; i < std::min(keys.size(), kMostKeys); ++i) {
    if (is_key_or_section(keys[i], known)) continue;
    const std::string near = nearest_name(keys[i], known);
    if (!near.empty() && edit_distance(keys[i], near) <= kMostEdits) sentences.push_back(keys[i] + " (" + near + "?)");
  }
  return sentences;
}

}  // namespace maskrt::weights
