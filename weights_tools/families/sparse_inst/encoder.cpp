// The instance context encoder of SparseInst (Cheng et al., 2022): a feature pyramid with pyramid pooling on top, fused
// into one map.
#include "encoder.h"

#include <array>
#include <string>
#include <vector>

namespace maskrt::weights {
namespace {

using graph::ValueId;

// x [B, h, w, C] -> [B, h, w, C]: what each pixel sees, beside means of 1x1, 2x2, 3x3 and 6x6 parts of the picture.
ValueId pyramid_pooling(const EncoderConfig& config, ValueId x, Layers& net) {
  constexpr std::array kSizes = {1, 2, 3, 6};
  const std::int64_t channels = net.channels(x);
  std::vector<ValueId> priors;
  for (std::size_t i = 0; i < kSizes.size(); ++i) {
    const auto stage = "encoder.ppm.stages." + std::to_string(i);
    ValueId y = net.adaptive_average_pool(stage + ".0", x, kSizes[i]);                               // [B, s, s, C]
    y = net.conv(stage + ".1", y, width(config.channels / 4), {.bias = true, .fills = kReluFills});  // [B, s, s, C/4]
    y = net.relu(stage + ".relu", y);
    y = net.add(stage + ".resize", graph::ResizeBilinear{}, {y, x}, net.channels(y));  // [B, h, w, C/4]
    priors.push_back(y);
  }
  priors.push_back(x);
  ValueId y = net.concat("encoder.ppm.concat", priors);                                      // [B, h, w, 2C]
  y = net.conv("encoder.ppm.bottleneck", y, channels, {.bias = true, .fills = kReluFills});  // [B, h, w, C]
  return net.relu("encoder.ppm.relu", y);
}

// The three features, coarse to fine. Each must have twice the resolution of the one before: the top-down path doubles.
std::vector<Feature> coarse_to_fine(const EncoderConfig& config, const Features& features) {
  std::vector<Feature> levels;
  for (auto name = config.in_features.rbegin(); name != config.in_features.rend(); ++name) {
    const auto found = features.find(*name);
    if (found == features.end()) {
      std::string names;
      for (const auto& [made, feature] : features) names += (names.empty() ? "" : ", ") + made;
      throw Error("MODEL.SPARSE_INST.ENCODER.IN_FEATURES: expected features that the backbone gives (" + names +
                  "), found '" + *name + "'");
    }
    if (!levels.empty() && levels.back().stride != 2 * found->second.stride)
      throw Error(
          "MODEL.SPARSE_INST.ENCODER.IN_FEATURES: expected strides that double from one feature to the next, "
          "found " +
          std::to_string(found->second.stride) + " at " + *name + " before " + std::to_string(levels.back().stride));
    levels.push_back(found->second);
  }
  return levels;
}

}  // namespace

ValueId build_instance_context_encoder(const EncoderConfig& config, const Features& features, Layers& net) {
  const auto levels = coarse_to_fine(config, features);
  const ConvOptions conv1x1{.bias = true}, conv3x3{.kernel = 3, .padding = 1, .bias = true};

  ValueId carried = net.conv("encoder.fpn_laterals.0", levels[0].value, width(config.channels), conv1x1);
  const std::int64_t channels = net.channels(carried);
  carried = pyramid_pooling(config, carried, net);  // [B, h/32, w/32, C]
  std::vector<ValueId> outputs = {net.conv("encoder.fpn_outputs.0", carried, channels, conv3x3)};
  for (std::size_t i = 1; i < levels.size(); ++i) {
    const auto index = std::to_string(i);
    const ValueId lateral = net.conv("encoder.fpn_laterals." + index, levels[i].value, channels, conv1x1);
    const ValueId above =
        net.add("encoder.upsample." + index, graph::UpsampleNearest{2}, {carried}, channels);  // [B, 2h, 2w, C]
    carried = net.sum("encoder.add." + index, lateral, above);
    outputs.push_back(net.conv("encoder.fpn_outputs." + index, carried, channels, conv3x3));
  }

  // Fine to coarse, all at the finest level's size.
  std::vector<ValueId> resized = {outputs.back()};  // [B, h/8, w/8, C]
  for (std::size_t i = outputs.size() - 1; i-- > 0;)
    resized.push_back(net.add("encoder.resize." + std::to_string(i), graph::ResizeBilinear{},
                              {outputs[i], outputs.back()}, channels));
  const ValueId fused = net.concat("encoder.concat", resized);             // [B, h/8, w/8, 3C]
  return net.conv("encoder.fusion", fused, channels, conv1x1, "encoder");  // [B, h/8, w/8, C]
}

}  // namespace maskrt::weights
