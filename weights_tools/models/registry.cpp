// Which models there are. A new backbone, encoder, decoder or architecture is entered here.
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "models.h"
#include "weights_tools/labels.h"

namespace maskrt::weights {
namespace {

using graph::ValueId;

// Known by name, not built yet: what a user of one of the published configs is told.
const std::map<std::string, std::string>& coming_backbones() {
  static const std::map<std::string, std::string> coming = {
      {"build_resnet_vd_backbone", "ResNet-D backbones"},
      {"build_cspnet_backbone", "CSPNet and Darknet backbones"},
      {"build_pyramid_vision_transformer", "Pyramid Vision Transformer backbones"},
  };
  return coming;
}

std::string expected(const std::string& key, const std::string& what, const std::string& found) {
  return key + ": expected " + what + ", found '" + found + "'";
}

graph::Preprocessing preprocessing(const InputConfig& input) {
  graph::Preprocessing out;
  out.rgb = input.rgb;
  for (std::size_t i = 0; i < 3; ++i) {
    out.mean[i] = static_cast<float>(input.mean[i]);
    out.std[i] = static_cast<float>(input.std[i]);
  }
  out.min_size = input.min_size;
  out.max_size = input.max_size;
  out.size_divisibility = 32;  // SparseInst's own, whatever the backbone says
  return out;
}

// Has every tensor in the shape that is asked for, and remembers the names.
class AskedNames : public WeightSource {
 public:
  std::optional<Shape> shape_of(const std::string& name, const Shape& configured) const override {
    names_.insert(name);
    Shape shape = configured;
    for (auto& extent : shape) extent = std::max<std::int64_t>(extent, 1);
    return shape;
  }
  bool contains(const std::string&) const override { return false; }
  std::vector<float> floats(const std::string&, const Shape&) const override { return {}; }
  StoredTensor stored(const std::string&, const Shape&) const override { return {}; }

  std::set<std::string> take() { return std::move(names_); }

 private:
  mutable std::set<std::string> names_;
};

}  // namespace

void check_supported(const SparseInstConfig& config) {
  if (config.architecture != "SparseInst")
    throw Error(expected("MODEL.META_ARCHITECTURE", "SparseInst", config.architecture) +
                (config.architecture == "FastInst" ? ": FastInst is not supported yet" : ""));
  if (config.backbone != "build_resnet_backbone") {
    const auto coming = coming_backbones().find(config.backbone);
    throw Error(expected("MODEL.BACKBONE.NAME", "build_resnet_backbone", config.backbone) +
                (coming == coming_backbones().end() ? "" : ": " + coming->second + " are not supported yet"));
  }
  if (config.encoder.name != "InstanceContextEncoder")
    throw Error(expected("MODEL.SPARSE_INST.ENCODER.NAME", "InstanceContextEncoder", config.encoder.name));
  const auto& decoder = config.decoder.name;
  if (decoder != "BaseIAMDecoder" && decoder != "GroupIAMDecoder" && decoder != "GroupIAMSoftDecoder")
    throw Error(
        expected("MODEL.SPARSE_INST.DECODER.NAME", "BaseIAMDecoder, GroupIAMDecoder or GroupIAMSoftDecoder", decoder));
}

BuiltModel build_model(const SparseInstConfig& config, std::shared_ptr<const WeightSource> source,
                       std::size_t most_problems) {
  check_supported(config);
  BuiltModel built;
  auto& model = built.description;
  Weights weights(std::move(source));
  Layers net(model.graph, weights);

  const ValueId image = net.input(3);                                                     // [B, H, W, 3]
  const Features features = build_resnet(config.resnet, image, net);                      // strides 8, 16, 32
  const ValueId encoder = build_instance_context_encoder(config.encoder, features, net);  // [B, H/8, W/8, C]
  const DecoderOutputs outputs = build_iam_decoder(config.decoder, encoder, net);
  weights.check(most_problems);
  model.graph.outputs = {outputs.class_logits, outputs.objectness_logits, outputs.mask_logits};

  model.name = config.name;
  model.head = graph::SparseInstHead{outputs.class_logits, outputs.objectness_logits, outputs.mask_logits,
                                     static_cast<float>(config.score_threshold),
                                     static_cast<float>(config.mask_threshold)};
  model.preprocessing = preprocessing(config.input);
  model.categories = default_categories(config.decoder.classes);
  built.constants = weights.constants();
  built.names = weights.names();
  return built;
}

std::set<std::string> tensor_names(const SparseInstConfig& config) {
  const auto asked = std::make_shared<AskedNames>();
  try {
    build_model(config, asked);
  } catch (const Error&) {  // the weights themselves may decide what the config leaves open
  }
  return asked->take();
}

std::string summary(const SparseInstConfig& config) {
  const auto& resnet = config.resnet;
  const std::string groups = resnet.groups == 1 ? "" : ", " + std::to_string(resnet.groups) + " groups";
  return config.architecture + ", ResNet-" + std::to_string(resnet.depth) + groups + ", " + config.encoder.name + ", " +
         config.decoder.name;
}

}  // namespace maskrt::weights
