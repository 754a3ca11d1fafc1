#include "known_keys.h"

#include <algorithm>
#include <cctype>

#include "graph/nearest_name.h"

namespace maskrt::weights {
namespace {

// A mapping of a config, and the keys in it.
struct Section {
  std::string_view name, keys;
};

// clang-format off
constexpr Section kSections[] = {
    // detectron2's defaults
    {"",
     "VERSION"},
    {"MODEL",
     "LOAD_PROPOSALS MASK_ON KEYPOINT_ON DEVICE META_ARCHITECTURE WEIGHTS PIXEL_MEAN PIXEL_STD"},
    {"INPUT",
     "MIN_SIZE_TRAIN MIN_SIZE_TRAIN_SAMPLING MAX_SIZE_TRAIN MIN_SIZE_TEST MAX_SIZE_TEST RANDOM_FLIP "
     "FORMAT MASK_FORMAT"},
    {"INPUT.CROP",
     "ENABLED TYPE SIZE"},
    {"DATASETS",
     "TRAIN PROPOSAL_FILES_TRAIN PRECOMPUTED_PROPOSAL_TOPK_TRAIN TEST PROPOSAL_FILES_TEST "
     "PRECOMPUTED_PROPOSAL_TOPK_TEST"},
    {"DATALOADER",
     "NUM_WORKERS ASPECT_RATIO_GROUPING SAMPLER_TRAIN REPEAT_THRESHOLD REPEAT_SQRT RANDOM_SUBSET_RATIO "
     "FILTER_EMPTY_ANNOTATIONS"},
    {"MODEL.BACKBONE",
     "NAME FREEZE_AT"},
    {"MODEL.FPN",
     "IN_FEATURES OUT_CHANNELS NORM FUSE_TYPE"},
    {"MODEL.PROPOSAL_GENERATOR",
     "NAME MIN_SIZE"},
    {"MODEL.ANCHOR_GENERATOR",
     "NAME SIZES ASPECT_RATIOS ANGLES OFFSET"},
    {"MODEL.RPN",
     "HEAD_NAME IN_FEATURES BOUNDARY_THRESH IOU_THRESHOLDS IOU_LABELS BATCH_SIZE_PER_IMAGE "
     "POSITIVE_FRACTION BBOX_REG_LOSS_TYPE BBOX_REG_LOSS_WEIGHT BBOX_REG_WEIGHTS SMOOTH_L1_BETA "
     "LOSS_WEIGHT PRE_NMS_TOPK_TRAIN PRE_NMS_TOPK_TEST POST_NMS_TOPK_TRAIN POST_NMS_TOPK_TEST "
     "NMS_THRESH CONV_DIMS"},
    {"MODEL.ROI_HEADS",
     "NAME NUM_CLASSES IN_FEATURES IOU_THRESHOLDS IOU_LABELS BATCH_SIZE_PER_IMAGE POSITIVE_FRACTION "
     "SCORE_THRESH_TEST NMS_THRESH_TEST PROPOSAL_APPEND_GT"},
    {"MODEL.ROI_BOX_HEAD",
     "NAME BBOX_REG_LOSS_TYPE BBOX_REG_LOSS_WEIGHT BBOX_REG_WEIGHTS SMOOTH_L1_BETA POOLER_RESOLUTION "
     "POOLER_SAMPLING_RATIO POOLER_TYPE NUM_FC FC_DIM NUM_CONV CONV_DIM NORM CLS_AGNOSTIC_BBOX_REG "
     "TRAIN_ON_PRED_BOXES USE_FED_LOSS USE_SIGMOID_CE FED_LOSS_FREQ_WEIGHT_POWER FED_LOSS_NUM_CLASSES"},
    {"MODEL.ROI_BOX_CASCADE_HEAD",
     "BBOX_REG_WEIGHTS IOUS"},
    {"MODEL.ROI_MASK_HEAD",
     "NAME POOLER_RESOLUTION POOLER_SAMPLING_RATIO NUM_CONV CONV_DIM NORM CLS_AGNOSTIC_MASK "
     "POOLER_TYPE"},
    {"MODEL.ROI_KEYPOINT_HEAD",
     "NAME POOLER_RESOLUTION POOLER_SAMPLING_RATIO CONV_DIMS NUM_KEYPOINTS MIN_KEYPOINTS_PER_IMAGE "
     "NORMALIZE_LOSS_BY_VISIBLE_KEYPOINTS LOSS_WEIGHT POOLER_TYPE"},
    {"MODEL.SEM_SEG_HEAD",
     "NAME IN_FEATURES IGNORE_VALUE NUM_CLASSES CONVS_DIM COMMON_STRIDE NORM LOSS_WEIGHT"},
    {"MODEL.PANOPTIC_FPN",
     "INSTANCE_LOSS_WEIGHT"},
    {"MODEL.PANOPTIC_FPN.COMBINE",
     "ENABLED OVERLAP_THRESH STUFF_AREA_LIMIT INSTANCES_CONFIDENCE_THRESH"},
    {"MODEL.RETINANET",
     "NUM_CLASSES IN_FEATURES NUM_CONVS IOU_THRESHOLDS IOU_LABELS PRIOR_PROB SCORE_THRESH_TEST "
     "TOPK_CANDIDATES_TEST NMS_THRESH_TEST BBOX_REG_WEIGHTS FOCAL_LOSS_GAMMA FOCAL_LOSS_ALPHA "
     "SMOOTH_L1_LOSS_BETA BBOX_REG_LOSS_TYPE NORM"},
    {"MODEL.RESNETS",
     "DEPTH OUT_FEATURES NUM_GROUPS NORM WIDTH_PER_GROUP STRIDE_IN_1X1 RES5_DILATION RES2_OUT_CHANNELS "
     "STEM_OUT_CHANNELS DEFORM_ON_PER_STAGE DEFORM_MODULATED DEFORM_NUM_GROUPS"},
    {"SOLVER",
     "LR_SCHEDULER_NAME MAX_ITER BASE_LR BASE_LR_END MOMENTUM NESTEROV WEIGHT_DECAY WEIGHT_DECAY_NORM "
     "GAMMA STEPS NUM_DECAYS WARMUP_FACTOR WARMUP_ITERS WARMUP_METHOD RESCALE_INTERVAL "
     "CHECKPOINT_PERIOD IMS_PER_BATCH REFERENCE_WORLD_SIZE BIAS_LR_FACTOR WEIGHT_DECAY_BIAS"},
    {"SOLVER.CLIP_GRADIENTS",
     "ENABLED CLIP_TYPE CLIP_VALUE NORM_TYPE"},
    {"SOLVER.AMP",
     "ENABLED"},
    {"TEST",
     "EXPECTED_RESULTS EVAL_PERIOD KEYPOINT_OKS_SIGMAS DETECTIONS_PER_IMAGE"},
    {"TEST.AUG",
     "ENABLED MIN_SIZES MAX_SIZE FLIP"},
    {"TEST.PRECISE_BN",
     "ENABLED NUM_ITER"},
    {"",
     "OUTPUT_DIR SEED CUDNN_BENCHMARK FLOAT32_PRECISION VIS_PERIOD"},
    {"GLOBAL",
     "HACK"},
    // what SparseInst adds
    {"MODEL.SPARSE_INST",
     "CLS_THRESHOLD MASK_THRESHOLD MAX_DETECTIONS DATASET_MAPPER"},
    {"MODEL.SPARSE_INST.ENCODER",
     "NAME NORM IN_FEATURES NUM_CHANNELS"},
    {"MODEL.SPARSE_INST.DECODER",
     "NAME NUM_MASKS NUM_CLASSES KERNEL_DIM SCALE_FACTOR OUTPUT_IAM GROUPS"},
    {"MODEL.SPARSE_INST.DECODER.INST",
     "DIM CONVS"},
    {"MODEL.SPARSE_INST.DECODER.MASK",
     "DIM CONVS"},
    {"MODEL.SPARSE_INST.LOSS",
     "NAME ITEMS CLASS_WEIGHT MASK_PIXEL_WEIGHT MASK_DICE_WEIGHT OBJECTNESS_WEIGHT"},
    {"MODEL.SPARSE_INST.MATCHER",
     "NAME ALPHA BETA"},
    {"SOLVER",
     "OPTIMIZER BACKBONE_MULTIPLIER AMSGRAD"},
    {"MODEL.PVT",
     "NAME OUT_FEATURES LINEAR"},
    {"MODEL.CSPNET",
     "NAME NORM OUT_FEATURES"},
    // what FastInst adds
    {"INPUT",
     "DATASET_MAPPER_NAME COLOR_AUG_SSD SIZE_DIVISIBILITY IMAGE_SIZE MIN_SCALE MAX_SCALE"},
    {"INPUT.CROP",
     "SINGLE_CATEGORY_MAX_AREA"},
    {"INPUT.CROP.RESIZE",
     "ENABLED MIN_SIZE MIN_SIZE_TRAIN_SAMPLING"},
    {"SOLVER",
     "WEIGHT_DECAY_EMBED"},
    {"MODEL.FASTINST",
     "DEEP_SUPERVISION NO_OBJECT_WEIGHT CLASS_WEIGHT DICE_WEIGHT MASK_WEIGHT LOCATION_WEIGHT "
     "PROPOSAL_WEIGHT NHEADS DROPOUT DIM_FEEDFORWARD DEC_LAYERS PRE_NORM HIDDEN_DIM NUM_OBJECT_QUERIES "
     "NUM_AUX_QUERIES SIZE_DIVISIBILITY TRANSFORMER_DECODER_NAME TRAIN_NUM_POINTS OVERSAMPLE_RATIO "
     "IMPORTANCE_SAMPLE_RATIO"},
    {"MODEL.FASTINST.TEST",
     "SEMANTIC_ON INSTANCE_ON PANOPTIC_ON OBJECT_MASK_THRESHOLD OVERLAP_THRESHOLD "
     "SEM_SEG_POSTPROCESSING_BEFORE_INFERENCE"},
    {"MODEL.SEM_SEG_HEAD",
     "MASK_DIM TRANSFORMER_ENC_LAYERS PIXEL_DECODER_NAME DEFORMABLE_TRANSFORMER_ENCODER_IN_FEATURES"},
    {"MODEL.SWIN",
     "PRETRAIN_IMG_SIZE PATCH_SIZE EMBED_DIM DEPTHS NUM_HEADS WINDOW_SIZE MLP_RATIO QKV_BIAS QK_SCALE "
     "DROP_RATE ATTN_DROP_RATE DROP_PATH_RATE APE PATCH_NORM OUT_FEATURES USE_CHECKPOINT"},
};
// clang-format on

std::vector<std::string> make_list() {
  std::vector<std::string> list;
  for (const auto& section : kSections) {
    const std::string prefix = section.name.empty() ? "" : std::string(section.name) + ".";
    for (std::string_view keys = section.keys; !keys.empty();) {
      const auto blank = std::min(keys.find(' '), keys.size());
      list.push_back(prefix + std::string(keys.substr(0, blank)));
      keys.remove_prefix(std::min(blank + 1, keys.size()));
    }
  }
  return list;
}

void collect(const ConfigValue& map, const std::string& prefix, std::vector<std::string>& keys) {
  for (std::size_t i = 0; i < map.keys.size(); ++i) {
    keys.push_back(prefix + map.keys[i]);
    if (map.items[i].kind == ConfigValue::Kind::map) collect(map.items[i], keys.back() + ".", keys);
  }
}

std::string in_capitals(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

// A key may be mistyped, in small letters, or without the sections before it.
std::string meant(const std::string& key, const std::vector<std::string>& candidates) {
  const std::string ending = "." + in_capitals(key);
  for (const auto& candidate : candidates)
    if (candidate == ending.substr(1) || candidate.ends_with(ending)) return candidate;
  const std::string near = nearest_name(key, candidates);
  return near.empty() ? nearest_name(in_capitals(key), candidates) : near;
}

// Compared with all of them, a config of thousands of keys would take long.
constexpr std::size_t kMostCandidates = 4096;

}  // namespace

const std::vector<std::string>& known_keys() {
  static const std::vector<std::string> list = make_list();
  return list;
}

bool is_known_key(std::string_view key) {
  const auto names = [key](const std::string& known) {
    return known == key || (known.size() > key.size() && known.starts_with(key) && known[key.size()] == '.');
  };
  return std::any_of(known_keys().begin(), known_keys().end(), names);
}

std::string nearest_key(const std::string& key, const ConfigValue& config) {
  std::vector<std::string> candidates = known_keys();
  collect(config, "", candidates);
  candidates.resize(std::min(candidates.size(), kMostCandidates));
  return meant(key, candidates);
}

std::vector<std::string> likely_mistakes(const std::vector<std::string>& keys) {
  constexpr std::size_t kMostEdits = 2, kMostKeys = 256;
  std::vector<std::string> sentences;
  for (std::size_t i = 0; i < std::min(keys.size(), kMostKeys); ++i) {
    if (is_known_key(keys[i])) continue;
    const std::string near = nearest_name(keys[i], known_keys());
    if (!near.empty() && edit_distance(keys[i], near) <= kMostEdits) sentences.push_back(keys[i] + " (" + near + "?)");
  }
  return sentences;
}

}  // namespace maskrt::weights
