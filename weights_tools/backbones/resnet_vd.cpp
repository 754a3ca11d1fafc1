// ResNet-D (Bag of Tricks for Image Classification, He et al., 2018): a deep stem, and shortcuts that average before
// they project; as SparseInst's and FastInst's build_resnet_vd_backbone builds it.
#include <string>
#include <utility>
#include <vector>

#include "backbone.h"
#include "weights_tools/backbones/parts/bottleneck.h"

namespace maskrt::weights {
namespace {

using graph::ValueId;

const std::string kKeys = "MODEL.RESNETS.";

/// MODEL.RESNETS, as far as this backbone reads it.
struct ResNetDConfig {
  int depth = 50;                                               ///< 50 or 101
  std::vector<bool> deformable = {false, false, false, false};  ///< res2 to res5
};

ResNetDConfig read_config(ConfigReader& reader) {
  ResNetDConfig config;
  config.depth = reader.integer(kKeys + "DEPTH", config.depth, 1, 1000);
  if (config.depth != 50 && config.depth != 101)
    throw Error(reader.where(kKeys + "DEPTH") + ": expected 50 or 101 for ResNet-D, found " +
                std::to_string(config.depth));
  config.deformable = reader.booleans(kKeys + "DEFORM_ON_PER_STAGE", config.deformable, 4);
  // Which batch norm was trained; it is one whatever this says.
  reader.string(kKeys + "NORM", "FrozenBN");
  return config;
}

class ResNetDBuilder {
 public:
  ResNetDBuilder(const ResNetDConfig& config, const std::string& prefix, Layers& net)
      : config_(config), prefix_(prefix), net_(net), last_norm_fill_(weights::last_norm_fill(config.depth / 3)) {}

  // x [B, H, W, 3] -> [B, H/4, W/4, 64]
  ValueId stem(ValueId x) {
    x = stem_layer("conv1.0", "conv1.1", x, 32, 2);           // [B, H/2, W/2, 32]
    x = stem_layer("conv1.3", "conv1.4", x, 32, 1);           // [B, H/2, W/2, 32]
    x = stem_layer("conv1.6", "bn1", x, 64, 1);               // [B, H/2, W/2, 64]
    return net_.max_pool(prefix_ + "maxpool", x, {3, 2, 1});  // [B, H/4, W/4, 64]
  }

  // The stage LAYER, x [B, h, w, C] -> [B, h/stride, w/stride, 4 * width]
  ValueId stage(const std::string& layer, ValueId x, std::int64_t width, int stride, bool deformable, int blocks,
                const std::string& value) {
    for (int i = 0; i < blocks; ++i) {
      const auto name = layer + "." + std::to_string(i);
      const std::int64_t out =
          i == 0 ? net_.weights().extent_of(name + ".conv3.weight", 0, 4 * width) : net_.channels(x);
      Bottleneck block{.width = width, .stride2 = i == 0 ? stride : 1};
      if (deformable) block.deformation = Deformation{.note = kKeys + "DEFORM_ON_PER_STAGE"};
      const ValueId identity = shortcut(name, x, out, block.stride2);
      const auto norm = [this](const std::string& conv, ValueId y, const Fill& fill) {
        return net_.batch_norm(norm_behind(conv), y, fill);
      };
      x = add_bottleneck(name, x, identity, block, norm, last_norm_fill_, i + 1 == blocks ? value : "", net_);
    }
    net_.weights().expect_absent(layer + "." + std::to_string(blocks) + ".conv1.weight",
                                 kKeys + "DEPTH " + std::to_string(config_.depth) + " does not have");
    return x;
  }

 private:
  ValueId stem_layer(const std::string& conv, const std::string& norm, ValueId x, std::int64_t out, int stride) {
    x = net_.conv(prefix_ + conv, x, width(out), {.kernel = 3, .stride = stride, .padding = 1, .fills = kReluFills});
    x = net_.batch_norm(prefix_ + norm, x);
    return net_.relu(prefix_ + norm + ".relu", x);
  }

  // "layer1.0.conv2" -> "layer1.0.bn2"
  static std::string norm_behind(const std::string& conv) {
    const auto at = conv.rfind("conv");
    return conv.substr(0, at) + "bn" + conv.substr(at + 4);
  }

  // x [B, h, w, C] -> [B, h/stride, w/stride, out]: means, projected
  ValueId shortcut(const std::string& name, ValueId x, std::int64_t out, int stride) {
    const auto down = name + ".downsample.";
    if (!net_.weights().contains(down + "1.weight") && stride == 1 && net_.channels(x) == out) return x;
    if (stride != 1) x = net_.average_pool(down + "0", x, {2, stride});
    return net_.batch_norm(down + "2", net_.conv(down + "1", x, out, {}));
  }

  const ResNetDConfig& config_;
  const std::string& prefix_;
  Layers& net_;
  Fill last_norm_fill_;
};

class ResNetD : public Backbone {
 public:
  ResNetD(ResNetDConfig config, std::string prefix) : config_(std::move(config)), prefix_(std::move(prefix)) {}

  std::string summary() const override {
    return "ResNet-" + std::to_string(config_.depth) + "-D" + deformable_stages(config_.deformable, 4);
  }
  // "res2" to "res5", whatever RESNETS.OUT_FEATURES says.
  Features build(ValueId image, Layers& net) const override {
    ResNetDBuilder builder(config_, prefix_, net);
    Features made;
    ValueId x = builder.stem(image);  // [B, H/4, W/4, 64]
    const auto blocks = blocks_per_stage(config_.depth);
    int stride = 4;
    std::int64_t width = 64;
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      // res2: [B, H/4, W/4, 256], res3: [B, H/8, W/8, 512], res4: [B, H/16, W/16, 1024], res5: [B, H/32, W/32, 2048]
      const auto feature = "res" + std::to_string(i + 2);
      const int stage_stride = i == 0 ? 1 : 2;
      stride *= stage_stride;
      x = builder.stage(prefix_ + "layer" + std::to_string(i + 1), x, width, stage_stride, config_.deformable[i],
                        blocks[i], prefix_ + feature);
      made[feature] = {x, stride};
      width *= 2;
    }
    return made;
  }
  std::string first_layer() const override { return prefix_ + "conv1.0"; }

 private:
  ResNetDConfig config_;
  std::string prefix_;
};

}  // namespace

namespace backbones {

BackboneKind resnet_vd() {
  return {"build_resnet_vd_backbone",
          [](ConfigReader& reader, const std::string& prefix) -> std::unique_ptr<const Backbone> {
            return std::make_unique<ResNetD>(read_config(reader), prefix);
          }};
}

}  // namespace backbones
}  // namespace maskrt::weights
