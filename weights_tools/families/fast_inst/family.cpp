// FastInst: A Simple Query-Based Model for Real-Time Instance Segmentation (He et al., 2023).
#include "weights_tools/families/family.h"

#include <array>
#include <utility>

#include "config.h"
#include "decoder.h"
#include "pixel_decoder.h"
#include "published.h"
#include "weights_tools/dataset_categories.h"
#include "weights_tools/words.h"

namespace maskrt::weights {
namespace {

using graph::ValueId;

constexpr const char* kName = "FastInst";

// How images become the input, and what is found in the outputs.
void describe_head(const FastInstConfig& config, const FastInstOutputs& outputs, graph::ModelDescription& model) {
  graph::FastInstHead head;
  head.class_logits = outputs.class_logits;
  head.mask_logits = outputs.mask_logits;
  head.query_positions = outputs.query_positions;
  head.instances = config.tasks.instances;
  head.semantic = config.tasks.semantic;
  head.panoptic = config.tasks.panoptic;
  head.detections = config.tasks.detections;
  head.object_mask_threshold = static_cast<float>(config.tasks.object_mask_threshold);
  head.overlap_threshold = static_cast<float>(config.tasks.overlap_threshold);
  head.resize_before_semantic = config.tasks.resize_before_semantic;
  model.head = std::move(head);
  model.graph.outputs = {outputs.class_logits, outputs.mask_logits, outputs.query_positions};
  model.preprocessing = config.input;
}

// Output rows of a linear layer, by its node's name; "?" where there is none.
std::string rows_of_linear(const graph::Graph& graph, const std::string& name) {
  for (const graph::Node& node : graph.nodes)
    if (const auto* const found = std::get_if<graph::Linear>(&node.operation); found != nullptr && node.name == name)
      return std::to_string(found->weight->shape()[0]);
  return "?";
}

std::string task_names(const FastInstTasks& tasks) {
  std::vector<std::string> names;
  if (tasks.instances) names.emplace_back("instances");
  if (tasks.semantic) names.emplace_back("semantic");
  if (tasks.panoptic) names.emplace_back("panoptic");
  return joined(names, "and");
}

class FastInst : public Network {
 public:
  explicit FastInst(FastInstConfig config) : config_(std::move(config)) {}

  std::string summary() const override {
    return config_.backbone->summary() + ", " + config_.pixel_decoder.name + ", " + config_.decoder.name + "-D" +
           std::to_string(config_.decoder.layers) + (config_.decoder.pre_norm ? ", norms first" : "");
  }

  std::string details(const graph::Graph& graph) const override {
    const QueryDecoderConfig& decoder = config_.decoder;
    const std::string prefix = "sem_seg_head.predictor.";
    std::string text = std::to_string(decoder.classes) + " classes, " + std::to_string(decoder.queries) + " queries, " +
                       std::to_string(decoder.auxiliary_queries) + " auxiliary, " + std::to_string(decoder.heads) +
                       (decoder.heads == 1 ? " head" : " heads");
    text += "; widths: stem " + width_of(graph, config_.backbone->first_layer()) + ", pixel decoder " +
            width_of(graph, "sem_seg_head.pixel_decoder.adapter_" + std::to_string(levels()));
    if (decoder.layers != 0)
      text += ", feed-forward " + rows_of_linear(graph, prefix + "transformer_query_ffn_layers.0.linear1");
    text += ", masks " + rows_of_linear(graph, prefix + "mask_embed_layers.0.layers.2") + "; finds " +
            task_names(config_.tasks);
    if (config_.tasks.instances) text += ", at most " + std::to_string(config_.tasks.detections) + " instances";
    if (config_.tasks.panoptic)
      text += "; thresholds: object mask " + short_number(config_.tasks.object_mask_threshold) + ", overlap " +
              short_number(config_.tasks.overlap_threshold);
    return text;
  }

  ClassCount classes() const override { return {config_.decoder.classes, "MODEL.SEM_SEG_HEAD.NUM_CLASSES"}; }
  std::vector<Category> default_labels() const override {
    return dataset_categories(config_.datasets, config_.decoder.classes);
  }

  void build(Layers& net, graph::ModelDescription& model) const override {
    const ValueId image = net.input(3);                             // [B, H, W, 3]
    const Features features = config_.backbone->build(image, net);  // strides 8, 16, 32
    const std::array<ValueId, 3> levels = build_pixel_decoder(config_.pixel_decoder, features, net);
    describe_head(config_, build_query_decoder(config_.decoder, levels, net), model);
  }

 private:
  std::size_t levels() const { return config_.pixel_decoder.in_features.size(); }

  FastInstConfig config_;
};

}  // namespace

namespace families {

Family fast_inst() {
  Family family;
  family.name = kName;
  family.recognises = [](ConfigReader& config) { return meta_architecture(config) == kName; };
  family.read = [](ConfigReader& reader) -> std::unique_ptr<const Network> {
    return std::make_unique<FastInst>(read_fast_inst_config(reader));
  };
  family.published = published_fast_inst();
  family.training_keys = {
      {"INPUT", "DATASET_MAPPER_NAME COLOR_AUG_SSD SIZE_DIVISIBILITY IMAGE_SIZE MIN_SCALE MAX_SCALE"},
      {"INPUT.CROP", "SINGLE_CATEGORY_MAX_AREA"},
      {"INPUT.CROP.RESIZE", "ENABLED MIN_SIZE MIN_SIZE_TRAIN_SAMPLING"},
      {"SOLVER", "OPTIMIZER BACKBONE_MULTIPLIER WEIGHT_DECAY_EMBED"},
      {"MODEL.FASTINST",
       "DEEP_SUPERVISION NO_OBJECT_WEIGHT CLASS_WEIGHT DICE_WEIGHT MASK_WEIGHT LOCATION_WEIGHT PROPOSAL_WEIGHT DROPOUT "
       "TRAIN_NUM_POINTS OVERSAMPLE_RATIO IMPORTANCE_SAMPLE_RATIO"},
      {"MODEL.SWIN", "DROP_RATE ATTN_DROP_RATE DROP_PATH_RATE USE_CHECKPOINT"},
  };
  family.idle_keys = {
      {"MODEL.SEM_SEG_HEAD", "TRANSFORMER_ENC_LAYERS DEFORMABLE_TRANSFORMER_ENCODER_IN_FEATURES"},
      {"MODEL.SWIN",
       "PRETRAIN_IMG_SIZE PATCH_SIZE EMBED_DIM DEPTHS NUM_HEADS WINDOW_SIZE MLP_RATIO QKV_BIAS QK_SCALE APE PATCH_NORM "
       "OUT_FEATURES"},
  };
  family.random_seed = "1:";
  return family;
}

}  // namespace families
}  // namespace maskrt::weights
