// Deep Residual Learning for Image Recognition (He et al., 2015), as detectron2 builds it.
#include <algorithm>
#include <array>
#include <string>

#include "models.h"

namespace maskrt::weights {
namespace {

using graph::ValueId;

// What all blocks of a stage share.
struct Stage {
  std::int64_t bottleneck_width, width;  // as configured; the tensors decide
  int stride, dilation;                  // the stride is the first block's
};

std::array<int, 4> blocks_per_stage(int depth) {
  switch (depth) {
    case 18:
      return {2, 2, 2, 2};
    case 34:
    case 50:
      return {3, 4, 6, 3};
    case 101:
      return {3, 4, 23, 3};
    default:
      return {3, 8, 36, 3};
  }
}

class ResNetBuilder {
 public:
  ResNetBuilder(const ResNetConfig& config, Layers& net) : config_(config), net_(net), normalised_(has_norm(config)) {}

  // x [B, H, W, 3] -> [B, H/4, W/4, stem width]
  ValueId stem(ValueId x) {
    x = conv("backbone.stem.conv1", x, width(config_.stem_width), {.kernel = 7, .stride = 2, .padding = 3});
    x = net_.relu("backbone.stem.relu", x);                                                 // [B, H/2, W/2, C]
    return net_.add("backbone.stem.pool", graph::MaxPool{3, 2, 1}, {x}, net_.channels(x));  // [B, H/4, W/4, C]
  }

  // x [B, h, w, C] -> [B, h/stride, w/stride, C']
  ValueId stage(const std::string& name, ValueId x, const Stage& stage, int blocks) {
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

  ValueId conv(const std::string& name, ValueId x, const Dim& out, const ConvOptions& options) {
    x = net_.conv(name, x, out, options);
    if (normalised_) return net_.batch_norm(name + ".norm", x);
    net_.weights().expect_absent(name + ".norm.weight", "MODEL.RESNETS.NORM \"\" does not have");
    return x;
  }

  // The first block of a stage may widen its input; the others add to it, so they cannot.
  std::int64_t block_width(const std::string& last_conv, ValueId x, const Stage& stage, bool first) const {
    return first ? net_.weights().extent_of(last_conv + ".weight", 0, stage.width) : net_.channels(x);
  }

  ValueId shortcut(const std::string& name, ValueId x, std::int64_t out, int stride) {
    const bool projected = net_.weights().contains(name + ".shortcut.weight") || stride != 1 || net_.channels(x) != out;
    return projected ? conv(name + ".shortcut", x, out, {.stride = stride}) : x;
  }

  ValueId add(const std::string& name, ValueId x, ValueId residual, const std::string& value) {
    x = net_.add(name + ".add", graph::Add{}, {residual, x}, net_.channels(x));
    return net_.relu(name + ".relu", x, value);
  }

  ValueId basic_block(const std::string& name, ValueId x, const Stage& stage, bool first, const std::string& value) {
    const int stride = first ? stage.stride : 1;
    const std::int64_t out = block_width(name + ".conv2", x, stage, first);
    const ValueId identity = shortcut(name, x, out, stride);  // [B, h/s, w/s, C]
    ValueId y = conv(name + ".conv1", x, width(stage.width), {.kernel = 3, .stride = stride, .padding = 1});
    y = net_.relu(name + ".conv1.relu", y);                          // [B, h/s, w/s, C]
    y = conv(name + ".conv2", y, out, {.kernel = 3, .padding = 1});  // [B, h/s, w/s, C]
    return add(name, identity, y, value);
  }

  ValueId bottleneck(const std::string& name, ValueId x, const Stage& stage, bool first, const std::string& value) {
    const int stride = first ? stage.stride : 1;
    const int stride1 = config_.stride_in_1x1 ? stride : 1;
    const int stride2 = config_.stride_in_1x1 ? 1 : stride;
    const std::int64_t out = block_width(name + ".conv3", x, stage, first);
    const ValueId identity = shortcut(name, x, out, stride);  // [B, h/s, w/s, C]
    net_.weights().expect_absent(name + ".conv2_offset.weight",
                                 "makes conv2 deformable, but MODEL.RESNETS.DEFORM_ON_PER_STAGE says it is not");
    ValueId y = conv(name + ".conv1", x, width(stage.bottleneck_width), {.stride = stride1});  // [B, .., .., C/4]
    y = net_.relu(name + ".conv1.relu", y);
    y = conv(name + ".conv2", y, width(stage.bottleneck_width),  // [B, h/s, w/s, C/4]
             {.kernel = 3,
              .stride = stride2,
              .padding = stage.dilation,
              .dilation = stage.dilation,
              .groups = config_.groups,
              .groups_key = "MODEL.RESNETS.NUM_GROUPS"});
    y = net_.relu(name + ".conv2.relu", y);
    y = conv(name + ".conv3", y, out, {});  // [B, h/s, w/s, C]
    return add(name, identity, y, value);
  }

  const ResNetConfig& config_;
  Layers& net_;
  bool normalised_;
};

}  // namespace

Features build_resnet(const ResNetConfig& config, ValueId input, Layers& net) {
  constexpr std::array<const char*, 5> kNames = {"stem", "res2", "res3", "res4", "res5"};
  // Stages behind the last one that anybody reads are not built: their tensors may be missing.
  std::size_t last = 0;
  for (const auto& feature : config.out_features) {
    const auto at = std::find(kNames.begin(), kNames.end(), feature);
    if (at == kNames.end())
      throw Error("MODEL.RESNETS.OUT_FEATURES: expected stem, res2, res3, res4 or res5, found '" + feature + "'");
    last = std::max(last, static_cast<std::size_t>(at - kNames.begin()));
  }

  ResNetBuilder builder(config, net);
  Features made;
  ValueId x = builder.stem(input);  // [B, H/4, W/4, 64]
  int stride = 4;
  made["stem"] = {x, stride};
  Stage stage{std::int64_t{config.groups} * config.width_per_group, config.res2_width, 1, 1};
  const auto blocks = blocks_per_stage(config.depth);
  for (std::size_t i = 1; i <= last; ++i) {
    // res2: [B, H/4, W/4, 256], res3: [B, H/8, W/8, 512], res4: [B, H/16, W/16, 1024], res5: [B, H/32, W/32, 2048]
    if (config.deformable[i - 1])
      throw Error("MODEL.RESNETS.DEFORM_ON_PER_STAGE: expected no deformable stage among those that are built, found " +
                  std::string(kNames[i]) + ": deformable convolutions are not supported yet");
    stage.dilation = i == 4 ? config.res5_dilation : 1;
    stage.stride = i == 1 || stage.dilation == 2 ? 1 : 2;
    stride *= stage.stride;
    x = builder.stage(std::string("backbone.") + kNames[i], x, stage, blocks[i - 1]);
    made[kNames[i]] = {x, stride};
    stage.bottleneck_width *= 2;
    stage.width *= 2;
  }

  Features out;
  for (const auto& feature : config.out_features) out[feature] = made.at(feature);
  return out;
}

}  // namespace maskrt::weights
