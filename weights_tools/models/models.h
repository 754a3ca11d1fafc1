// From a config and weights to a network: which models there are, and how each is built.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "graph/model_file.h"
#include "layers.h"
#include "weights_tools/config/sparse_inst_config.h"

namespace maskrt::weights {

/// One map that a backbone hands to what follows.
struct Feature {
  graph::ValueId value = -1;
  int stride = 0;  ///< input pixels per pixel
};
using Features = std::map<std::string, Feature>;

/// detectron2's build_resnet_backbone: the features named in RESNETS.OUT_FEATURES ("stem", "res2" to "res5").
Features build_resnet(const ResNetConfig& config, graph::ValueId input, Layers& net);

/// InstanceContextEncoder: one map at the finest feature's stride, the value "encoder".
graph::ValueId build_instance_context_encoder(const EncoderConfig& config, const Features& features, Layers& net);

/// What a decoder gives.
struct DecoderOutputs {
  graph::ValueId class_logits = -1, objectness_logits = -1, mask_logits = -1;
};

/// BaseIAMDecoder, GroupIAMDecoder and GroupIAMSoftDecoder.
DecoderOutputs build_iam_decoder(const DecoderConfig& config, graph::ValueId encoder, Layers& net);

/// A network, and the tensors that the model file has to hold.
struct BuiltModel {
  graph::ModelDescription description;  ///< with the usual labels for its class count
  std::vector<graph::ConstantPtr> constants;
  std::vector<std::string> names;  ///< of all tensors that were read
};

/// Throws Error for an architecture, backbone, encoder or decoder that cannot be built (yet): one sentence that says
/// what can.
void check_supported(const SparseInstConfig& config);

/// Builds the network that the config names, of plain operations under the checkpoint's names. Throws Error as
/// check_supported does, and one Error for all tensors that are missing or misshapen, which lists `most_problems` of
/// them. The graph's constants keep `source` alive.
BuiltModel build_model(const SparseInstConfig& config, std::shared_ptr<const WeightSource> source,
                       std::size_t most_problems = 8);

/// The tensors that the config's network asks a source for, whatever is wrong with the config otherwise.
std::set<std::string> tensor_names(const SparseInstConfig& config);

/// "ResNet-50, InstanceContextEncoder, GroupIAMDecoder"
std::string summary(const SparseInstConfig& config);

}  // namespace maskrt::weights
