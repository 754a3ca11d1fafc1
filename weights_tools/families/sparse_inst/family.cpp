// SparseInst: Sparse Instance Activation for Real-Time Instance Segmentation (Cheng et al., 2022).
#include "weights_tools/families/family.h"

#include <utility>

#include "config.h"
#include "decoder.h"
#include "encoder.h"
#include "published.h"
#include "weights_tools/dataset_categories.h"
#include "weights_tools/words.h"

namespace maskrt::weights {
namespace {

using graph::ValueId;

constexpr const char* kName = "SparseInst";

void check_supported(const SparseInstConfig& config) {
  if (config.encoder.name != "InstanceContextEncoder")
    throw Error("MODEL.SPARSE_INST.ENCODER.NAME: expected InstanceContextEncoder, found '" + config.encoder.name + "'");
  const auto& decoder = config.decoder.name;
  if (decoder != "BaseIAMDecoder" && decoder != "GroupIAMDecoder" && decoder != "GroupIAMSoftDecoder")
    throw Error(
        "MODEL.SPARSE_INST.DECODER.NAME: expected BaseIAMDecoder, GroupIAMDecoder or GroupIAMSoftDecoder, found '" +
        decoder + "'");
}

// How images become the input, and the outputs instances.
void describe_head(const SparseInstConfig& config, const DecoderOutputs& outputs, graph::ModelDescription& model) {
  model.head =
      graph::SparseInstHead{outputs.class_logits, outputs.objectness_logits, outputs.mask_logits,
                            static_cast<float>(config.score_threshold), static_cast<float>(config.mask_threshold)};
  model.graph.outputs = {outputs.class_logits, outputs.objectness_logits, outputs.mask_logits};
  model.preprocessing = config.input;
}

class SparseInst : public Network {
 public:
  explicit SparseInst(SparseInstConfig config) : config_(std::move(config)) {}

  std::string summary() const override {
    return config_.backbone->summary() + ", " + config_.encoder.name + ", " + config_.decoder.name;
  }

  std::string details(const graph::Graph& graph) const override {
    const auto& decoder = config_.decoder;
    std::string text = std::to_string(decoder.classes) + " classes, " + std::to_string(decoder.masks) + " masks";
    if (decoder.name != "BaseIAMDecoder") text += ", " + std::to_string(decoder.groups) + " groups";
    text += "; widths: stem " + width_of(graph, config_.backbone->first_layer()) + ", encoder " +
            width_of(graph, "encoder.fusion") + ", branches " + width_of(graph, "decoder.inst_branch.inst_convs.0") +
            " and " + width_of(graph, "decoder.mask_branch.mask_convs.0") + ", kernel " +
            width_of(graph, "decoder.mask_branch.projection");
    return text + "; thresholds: score " + short_number(config_.score_threshold) + ", mask " +
           short_number(config_.mask_threshold);
  }

  ClassCount classes() const override { return {config_.decoder.classes, "MODEL.SPARSE_INST.DECODER.NUM_CLASSES"}; }
  std::vector<Category> default_labels() const override {
    return dataset_categories(config_.datasets, config_.decoder.classes);
  }

  void build(Layers& net, graph::ModelDescription& model) const override {
    const ValueId image = net.input(3);                                                      // [B, H, W, 3]
    const Features features = config_.backbone->build(image, net);                           // strides 8, 16, 32
    const ValueId encoder = build_instance_context_encoder(config_.encoder, features, net);  // [B, H/8, W/8, C]
    const DecoderOutputs outputs = build_iam_decoder(config_.decoder, encoder, net);
    describe_head(config_, outputs, model);
  }

 private:
  SparseInstConfig config_;
};

}  // namespace

namespace families {

Family sparse_inst() {
  Family family;
  family.name = kName;
  family.recognises = [](ConfigReader& config) { return meta_architecture(config) == kName; };
  family.read = [](ConfigReader& reader) -> std::unique_ptr<const Network> {
    SparseInstConfig config = read_sparse_inst_config(reader);
    check_supported(config);
    return std::make_unique<SparseInst>(std::move(config));
  };
  family.published = published_sparse_inst();
  family.training_keys = {
      {"MODEL.SPARSE_INST", "DATASET_MAPPER"},
      {"MODEL.SPARSE_INST.LOSS", "NAME ITEMS CLASS_WEIGHT MASK_PIXEL_WEIGHT MASK_DICE_WEIGHT OBJECTNESS_WEIGHT"},
      {"MODEL.SPARSE_INST.MATCHER", "NAME ALPHA BETA"},
      {"SOLVER", "AMSGRAD"},
  };
  family.idle_keys = {
      {"MODEL.SPARSE_INST", "MAX_DETECTIONS"},
      {"MODEL.SPARSE_INST.ENCODER", "NORM"},
      {"MODEL.SPARSE_INST.DECODER", "OUTPUT_IAM"},
  };
  family.random_seed = "6:";
  return family;
}

}  // namespace families
}  // namespace maskrt::weights
