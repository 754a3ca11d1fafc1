// Deep Residual Learning for Image Recognition (He et al., 2015), as detectron2's build_resnet_backbone builds it.
#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>

#include "backbone.h"
#include "weights_tools/backbones/parts/bottleneck.h"
#include "weights_tools/backbones/parts/out_features.h"

namespace maskrt::weights {
namespace {

using graph::ValueId;

const std::string kKeys = "MODEL.RESNETS.";
const std::vector<std::string> kFeatures = {"stem", "res2", "res3", "res4", "res5"};

/// MODEL.RESNETS, as far as inference reads it.
struct ResNetConfig {
  int depth = 50;  ///< 18, 34, 50, 101 or 152
  OutFeatures out_features;
  std::string norm = "FrozenBN";  ///< "" is none
  bool stride_in_1x1 = true;
  int groups = 1, width_per_group = 64;
  int stem_width = 64, res2_width = 256;
  int res5_dilation = 1;                                        ///< 1 or 2
  std::vector<bool> deformable = {false, false, false, false};  ///< res2 to res5
  Deformation deformation = {};                                 ///< of those
};

void check_basic_blocks(const ResNetConfig& config, const ConfigReader& reader) {
  const auto refuse = [&](const std::string& key, const std::string& expected, const std::string& found) {
    throw Error(reader.where(kKeys + key) + ": expected " + expected + " for depth " + std::to_string(config.depth) +
                ", found " + found);
  };
  if (config.groups != 1) refuse("NUM_GROUPS", "1", std::to_string(config.groups));
  if (config.res5_dilation != 1) refuse("RES5_DILATION", "1", std::to_string(config.res5_dilation));
  const auto first = std::find(config.deformable.begin(), config.deformable.end(), true);
  if (first != config.deformable.end())
    refuse("DEFORM_ON_PER_STAGE", "no deformable stage",
           kFeatures[static_cast<std::size_t>(first - config.deformable.begin()) + 1]);
}

ResNetConfig read_config(ConfigReader& reader) {
  ResNetConfig config{.out_features = OutFeatures(reader, kKeys + "OUT_FEATURES", {"res4"}, kFeatures)};
  config.depth = reader.integer(kKeys + "DEPTH", config.depth, 1, 1000);
  constexpr int kDepths[] = {18, 34, 50, 101, 152};
  if (std::find(std::begin(kDepths), std::end(kDepths), config.depth) == std::end(kDepths))
    throw Error(reader.where(kKeys + "DEPTH") + ": expected 18, 34, 50, 101 or 152, found " +
                std::to_string(config.depth));
  config.norm = reader.string(kKeys + "NORM", config.norm);
  config.stride_in_1x1 = reader.boolean(kKeys + "STRIDE_IN_1X1", config.stride_in_1x1);
  config.groups = reader.integer(kKeys + "NUM_GROUPS", config.groups, 1, kWidest);
  config.width_per_group = reader.integer(kKeys + "WIDTH_PER_GROUP", config.width_per_group, 1, kWidest);
  config.stem_width = reader.integer(kKeys + "STEM_OUT_CHANNELS", config.stem_width, 1, kWidest);
  config.res2_width = reader.integer(kKeys + "RES2_OUT_CHANNELS", config.res2_width, 1, kWidest);
  config.res5_dilation = reader.integer(kKeys + "RES5_DILATION", config.res5_dilation, 1, 2);
  config.deformable = reader.booleans(kKeys + "DEFORM_ON_PER_STAGE", config.deformable, 4);
  Deformation& deformation = config.deformation;
  deformation.modulated = reader.boolean(kKeys + "DEFORM_MODULATED", deformation.modulated);
  deformation.groups = reader.integer(kKeys + "DEFORM_NUM_GROUPS", deformation.groups, 1, kWidest);
  deformation.note = kKeys + "DEFORM_ON_PER_STAGE, DEFORM_MODULATED " + (deformation.modulated ? "True" : "False") +
                     ", DEFORM_NUM_GROUPS " + std::to_string(deformation.groups);
  if (config.depth < 50) check_basic_blocks(config, reader);  // they have none of these, in detectron2 too
  return config;
}

// What all blocks of a stage share.
struct Stage {
  std::int64_t bottleneck_width, width;  // as configured; the tensors decide
  int stride, dilation;                  // the stride is the first block's
  bool deformable;
};

class ResNetBuilder {
 public:
  ResNetBuilder(const ResNetConfig& config, const std::string& prefix, Layers& net)
      : config_(config),
        prefix_(prefix),
        net_(net),
        normalised_(has_norm(config)),
        last_norm_fill_(weights::last_norm_fill(config.depth < 50 ? config.depth / 2 : config.depth / 3)) {}

  // x [B, H, W, 3] -> [B, H/4, W/4, stem width]
  ValueId stem(ValueId x) {
    x = conv(prefix_ + "stem.conv1", x, width(config_.stem_width),
             {.kernel = 7, .stride = 2, .padding = 3, .fills = kReluFills});
    x = net_.relu(prefix_ + "stem.relu", x);                    // [B, H/2, W/2, C]
    return net_.max_pool(prefix_ + "stem.pool", x, {3, 2, 1});  // [B, H/4, W/4, C]
  }

  // x [B, h, w, C] -> [B, h/stride, w/stride, C']
  ValueId stage(const std::string& stage_name, ValueId x, const Stage& stage, int blocks) {
    const std::string name = prefix_ + stage_name;
    for (int i = 0; i < blocks; ++i) {
      const auto block = name + "." + std::to_string(i);
      const auto value = i + 1 == blocks ? name : std::string();
      x = config_.depth < 50 ? basic_block(block, x, stage, i == 0, value) : bottleneck(block, x, stage, i == 0, value);
    }
    net_.weights().expect_absent(name + "." + std::to_string(blocks) + ".conv1.weight",
                                 "MODEL.RESNETS.DEPTH " + std::to_string(config_.depth) + " does not have");
    return x;
  }

 private:
  static bool has_norm(const ResNetConfig& config) {
    constexpr std::array kBatchNorms = {"BN", "FrozenBN", "SyncBN", "nnSyncBN", "naiveSyncBN", "naiveSyncBN_N"};
    if (config.norm.empty()) return false;
    if (std::find(kBatchNorms.begin(), kBatchNorms.end(), config.norm) == kBatchNorms.end())
      throw Error("MODEL.RESNETS.NORM: expected FrozenBN, BN, SyncBN or \"\", found '" + config.norm +
                  "', which is not supported");
    return true;
  }

  ValueId norm(const std::string& conv, ValueId x, const Fill& weight = kNormWeightFill) {
    if (normalised_) return net_.batch_norm(conv + ".norm", x, weight);
    net_.weights().expect_absent(conv + ".norm.weight", "MODEL.RESNETS.NORM \"\" does not have");
    return x;
  }

  ValueId conv(const std::string& name, ValueId x, const Dim& out, const ConvOptions& options,
               const Fill& norm_fill = kNormWeightFill) {
    return norm(name, net_.conv(name, x, out, options), norm_fill);
  }

  // The first block of a stage may widen its input; the others add to it, so they cannot.
  std::int64_t block_width(const std::string& last_conv, ValueId x, const Stage& stage, bool first) const {
    return first ? net_.weights().extent_of(last_conv + ".weight", 0, stage.width) : net_.channels(x);
  }

  ValueId shortcut(const std::string& name, ValueId x, std::int64_t out, int stride) {
    const bool projected = net_.weights().contains(name + ".shortcut.weight") || stride != 1 || net_.channels(x) != out;
    return projected ? conv(name + ".shortcut", x, out, {.stride = stride}) : x;
  }

  ValueId basic_block(const std::string& name, ValueId x, const Stage& stage, bool first, const std::string& value) {
    const int stride = first ? stage.stride : 1;
    const std::int64_t out = block_width(name + ".conv2", x, stage, first);
    const ValueId identity = shortcut(name, x, out, stride);  // [B, h/s, w/s, C]
    ValueId y = conv(name + ".conv1", x, width(stage.width), {.kernel = 3, .stride = stride, .padding = 1});
    y = net_.relu(name + ".conv1.relu", y);  // [B, h/s, w/s, C]
    y = conv(name + ".conv2", y, out,        // [B, h/s, w/s, C]
             {.kernel = 3, .padding = 1, .fills = kReluFills}, last_norm_fill_);
    return net_.relu(name + ".relu", net_.sum(name + ".add", y, identity), value);
  }

  ValueId bottleneck(const std::string& name, ValueId x, const Stage& stage, bool first, const std::string& value) {
    const int stride = first ? stage.stride : 1;
    const std::int64_t out = block_width(name + ".conv3", x, stage, first);
    const ValueId identity = shortcut(name, x, out, stride);  // [B, h/s, w/s, C]
    Bottleneck block;
    block.width = stage.bottleneck_width;
    (config_.stride_in_1x1 ? block.stride1 : block.stride2) = stride;
    block.dilation = stage.dilation;
    block.groups = config_.groups;
    block.groups_note = kKeys + "NUM_GROUPS is " + std::to_string(config_.groups);
    if (stage.deformable) block.deformation = config_.deformation;
    const auto norm_behind = [this](const std::string& conv, ValueId y, const Fill& fill) {
      return norm(conv, y, fill);
    };
    return add_bottleneck(name, x, identity, block, norm_behind, last_norm_fill_, value, net_);  // [B, h/s, w/s, C]
  }

  const ResNetConfig& config_;
  const std::string& prefix_;
  Layers& net_;
  bool normalised_;
  Fill last_norm_fill_;
};

Features build_stages(const ResNetConfig& config, const std::string& prefix, ValueId input, Layers& net) {
  ResNetBuilder builder(config, prefix, net);
  Features made;
  ValueId x = builder.stem(input);  // [B, H/4, W/4, 64]
  int stride = 4;
  made["stem"] = {x, stride};
  Stage stage{std::int64_t{config.groups} * config.width_per_group, config.res2_width, 1, 1, false};
  const auto blocks = blocks_per_stage(config.depth);
  for (std::size_t i = 1; i < config.out_features.built(); ++i) {
    // res2: [B, H/4, W/4, 256], res3: [B, H/8, W/8, 512], res4: [B, H/16, W/16, 1024], res5: [B, H/32, W/32, 2048]
    stage.deformable = config.deformable[i - 1];
    stage.dilation = i == 4 ? config.res5_dilation : 1;
    stage.stride = i == 1 || stage.dilation == 2 ? 1 : 2;
    stride *= stage.stride;
    x = builder.stage(kFeatures[i], x, stage, blocks[i - 1]);
    made[kFeatures[i]] = {x, stride};
    stage.bottleneck_width *= 2;
    stage.width *= 2;
  }
  return config.out_features.of(made);
}

class ResNet : public Backbone {
 public:
  ResNet(ResNetConfig config, std::string prefix) : config_(std::move(config)), prefix_(std::move(prefix)) {}

  std::string summary() const override {
    const std::string groups = config_.groups == 1 ? "" : ", " + std::to_string(config_.groups) + " groups";
    return "ResNet-" + std::to_string(config_.depth) + groups +
           deformable_stages(config_.deformable, config_.out_features.built() - 1);
  }
  // The features named in RESNETS.OUT_FEATURES: "stem", "res2" to "res5".
  Features build(ValueId image, Layers& net) const override { return build_stages(config_, prefix_, image, net); }
  std::string first_layer() const override { return prefix_ + "stem.conv1"; }

 private:
  ResNetConfig config_;
  std::string prefix_;
};

}  // namespace

namespace backbones {

BackboneKind resnet() {
  return {"build_resnet_backbone",
          [](ConfigReader& reader, const std::string& prefix) -> std::unique_ptr<const Backbone> {
            return std::make_unique<ResNet>(read_config(reader), prefix);
          }};
}

}  // namespace backbones
}  // namespace maskrt::weights
