// The pixel decoder of FastInst (He et al., 2023): a feature pyramid, with pyramid pooling (Zhao et al., 2017) of its
// coarsest level where the config says so.
#include "pixel_decoder.h"

#include <algorithm>
#include <string>
#include <vector>

namespace maskrt::weights {
namespace {

using graph::ValueId;

const std::string kPrefix = "sem_seg_head.pixel_decoder.";

// x [B, h, w, C] -> [B, h, w, C]: what each pixel sees, beside means of 1x1, 2x2, 3x3 and 6x6 parts of the picture.
ValueId pyramid_pooling(const PixelDecoderConfig& config, ValueId x, Layers& net) {
  constexpr std::array kSizes = {1, 2, 3, 6};
  const std::string name = kPrefix + "ppm.";
  std::vector<ValueId> priors;
  for (std::size_t i = 0; i < kSizes.size(); ++i) {
    const auto stage = name + "stages." + std::to_string(i);
    ValueId y = net.adaptive_average_pool(stage + ".0", x, kSizes[i]);                               // [B, s, s, C]
    y = net.conv(stage + ".1", y, width(config.channels / 4), {.bias = true, .fills = kReluFills});  // [B, s, s, C/4]
    y = net.relu(stage + ".relu", y);
    priors.push_back(net.add(stage + ".resize", graph::ResizeBilinear{}, {y, x}, net.channels(y)));  // [B, h, w, C/4]
  }
  priors.push_back(x);
  ValueId y = net.concat(name + "concat", priors);                                             // [B, h, w, 2C]
  y = net.conv(name + "bottleneck", y, net.channels(x), {.bias = true, .fills = kReluFills});  // [B, h, w, C]
  return net.relu(name + "relu", y);
}

// A convolution and its norm.
ValueId conv_norm(const PixelDecoderConfig& config, const std::string& name, ValueId x, const Dim& out,
                  ConvOptions options, Layers& net) {
  constexpr int kGroups = 32;  // detectron2's, whatever the width
  options.bias = config.norm.empty();
  options.fills = kReluFills;
  const ValueId y = net.conv(name, x, out, options);
  const std::string norm = name + ".norm", why = "MODEL.SEM_SEG_HEAD.NORM '" + config.norm + "' does not have";
  if (config.norm.empty()) {
    net.weights().expect_absent(norm + ".weight", why);
    return y;
  }
  if (config.norm != "GN") return net.batch_norm(norm, y);
  net.weights().expect_absent(norm + ".running_mean", why);
  return net.group_norm(norm, y, kGroups, "MODEL.SEM_SEG_HEAD.NORM GN");
}

// The features that the config names, fine to coarse, as the authors' code sorts them.
std::vector<Feature> fine_to_coarse(const PixelDecoderConfig& config, const Features& features) {
  std::vector<Feature> levels;
  for (const std::string& name : config.in_features) {
    const auto found = features.find(name);
    if (found == features.end()) {
      std::string names;
      for (const auto& [made, feature] : features) names += (names.empty() ? "" : ", ") + made;
      throw Error("MODEL.SEM_SEG_HEAD.IN_FEATURES: expected features that the backbone gives (" + names + "), found '" +
                  name + "'");
    }
    levels.push_back(found->second);
  }
  std::stable_sort(levels.begin(), levels.end(), [](const auto& a, const auto& b) { return a.stride < b.stride; });
  return levels;
}

}  // namespace

std::array<ValueId, 3> build_pixel_decoder(const PixelDecoderConfig& config, const Features& features, Layers& net) {
  const std::vector<Feature> levels = fine_to_coarse(config, features);
  net.weights().expect_absent(
      kPrefix + "adapter_" + std::to_string(levels.size() + 1) + ".weight",
      "the " + std::to_string(levels.size()) + " features of MODEL.SEM_SEG_HEAD.IN_FEATURES do not have");
  const ConvOptions conv1x1{}, conv3x3{.kernel = 3, .padding = 1};
  std::array<ValueId, 3> made{};
  ValueId carried = -1;
  std::int64_t channels = kUnknown;
  for (std::size_t i = 0; i < made.size(); ++i) {  // coarse to fine; finer levels than three are trained and not read
    const std::size_t level = levels.size() - i;   // as names count them, 1 being the finest
    const std::string adapter = kPrefix + "adapter_" + std::to_string(level);
    const std::string layer = kPrefix + "layer_" + std::to_string(level);
    // [B, H/32, W/32, C], then twice as large
    ValueId y = conv_norm(config, adapter, levels[level - 1].value, i == 0 ? width(config.channels) : Dim(channels),
                          conv1x1, net);
    if (i == 0) {
      channels = net.channels(y);
      if (config.name == "PyramidPoolingModuleFPN") {
        y = pyramid_pooling(config, y, net);
      } else {
        net.weights().expect_absent(kPrefix + "ppm.bottleneck.weight",
                                    "MODEL.SEM_SEG_HEAD.PIXEL_DECODER_NAME " + config.name + " does not have");
      }
    } else {
      const ValueId above = net.add(layer + ".resize", graph::ResizeBilinear{}, {carried, y}, channels);
      y = net.sum(layer + ".add", y, above);
    }
    y = conv_norm(config, layer, y, channels, conv3x3, net);
    carried = made[i] = net.relu(layer + ".relu", y, "pixel_decoder." + std::to_string(i));
  }
  return made;
}

}  // namespace maskrt::weights
