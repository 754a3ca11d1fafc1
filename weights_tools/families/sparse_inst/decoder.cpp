// The IAM decoders of SparseInst (Cheng et al., 2022): maps that each light up on one object gather its features, from
// which its class, its score and the kernel of its mask follow.
#include "decoder.h"

#include <string>

namespace maskrt::weights {
namespace {

using graph::ValueId;

const std::string kKeys = "MODEL.SPARSE_INST.DECODER.";

// Random weights: few positions light up in a map, classes and scores spread on both sides of the thresholds.
constexpr LayerFills kMapFills = {.weight = {.gain = 3}, .bias = {.offset = -6, .scale = 1}};
constexpr LayerFills kClassFills = {.weight = {.gain = 1}, .bias = {.offset = -2, .scale = 1}};
constexpr LayerFills kObjectnessFills = {.weight = {.gain = 1}, .bias = {.offset = 1, .scale = 0.2}};
constexpr LayerFills kKernelFills = {.weight = {.gain = 0.5}, .bias = {.scale = 0.2}};

// x [B, h, w, C] -> [B, h, w, DIM]
ValueId conv_stack(const std::string& name, ValueId x, const BranchConfig& branch, const std::string& key,
                   Layers& net) {
  for (int i = 0; i < branch.convs; ++i) {
    const auto layer = name + "." + std::to_string(2 * i);  // a ReLU stands between two convs
    x = net.conv(layer, x, width(branch.width), {.kernel = 3, .padding = 1, .bias = true, .fills = kReluFills});
    x = net.relu(layer + ".relu", x);
  }
  net.weights().expect_absent(name + "." + std::to_string(2 * branch.convs) + ".weight",
                              kKeys + key + " " + std::to_string(branch.convs) + " does not have");
  return x;
}

// The tensors may have been trained with other group and mask counts than the config says. The grouped conv's weight
// [masks * groups, DIM / groups, 3, 3] tells both.
void check_groups(const DecoderConfig& config, std::int64_t width_in, Layers& net) {
  const std::string name = "decoder.inst_branch.iam_conv.weight";
  const std::int64_t per_group = net.weights().extent_of(name, 1, kUnknown);
  if (per_group == kUnknown || width_in == kUnknown) return;
  if (width_in != per_group * config.groups)
    net.weights().report(kKeys + "GROUPS: expected the " + std::to_string(config.groups) +
                         " groups of the config in tensor " + name + ", found " + std::to_string(width_in) +
                         " channels in parts of " + std::to_string(per_group) + ", which makes " +
                         std::to_string(width_in / per_group));
}

}  // namespace

DecoderOutputs build_iam_decoder(const DecoderConfig& config, ValueId encoder, Layers& net) {
  const bool soft = config.name == "GroupIAMSoftDecoder";
  const bool grouped = soft || config.name == "GroupIAMDecoder";
  const int groups = grouped ? config.groups : 1;
  const std::int64_t masks = config.masks;
  const std::string branch = "decoder.inst_branch.";

  // Every pixel is told where it is.
  const ValueId place = net.add("decoder.coordinates", graph::Coordinates{}, {encoder}, 2);  // [B, h, w, 2]
  const ValueId located = net.concat("decoder.concat", {place, encoder});                    // [B, h, w, 2 + C]

  // Instance activation maps.
  const ValueId x = conv_stack(branch + "inst_convs", located, config.instance, "INST.CONVS", net);  // [B, h, w, D]
  if (grouped) check_groups(config, net.channels(x), net);
  const std::string count =
      kKeys + "NUM_MASKS " + std::to_string(masks) + (grouped ? " x GROUPS " + std::to_string(groups) : std::string());
  const ValueId logits =  // [B, h, w, G * N]
      net.conv(branch + "iam_conv", x, Dim(masks * groups, count),
               {.kernel = 3,
                .padding = 1,
                .groups = groups,
                .groups_note = grouped ? kKeys + "GROUPS is " + std::to_string(groups) : std::string(),
                .bias = true,
                .fills = kMapFills},
               "iam_logits");
  ValueId maps = logits;
  if (soft) {
    net.weights().expect(branch + "softmax_bias", {1});  // one scalar on all positions: softmax does not see it
    maps = net.add(branch + "softmax", graph::SoftmaxMaps{}, {maps}, masks * groups);
  } else {
    net.weights().expect_absent(branch + "softmax_bias",
                                "belongs to GroupIAMSoftDecoder, but " + kKeys + "NAME is " + config.name);
    maps = net.add(branch + "sigmoid", graph::Activate{graph::Activation::sigmoid}, {maps}, masks * groups);
    maps = net.add(branch + "normalise", graph::NormaliseMaps{}, {maps}, masks * groups);
  }

  // Instance features.
  ValueId instances = net.add(branch + "aggregate", graph::Aggregate{}, {maps, x}, net.channels(x));  // [B, G * N, D]
  if (grouped) {
    // GroupIAMDecoder always reads four blocks, whatever GROUPS says; its checkpoints are trained with that.
    const int blocks = soft ? groups : 4;
    const std::int64_t together = net.channels(x) == kUnknown ? kUnknown : net.channels(x) * groups;
    if (together % blocks != 0 && together != kUnknown)
      throw Error(kKeys + "GROUPS: expected INST.DIM x GROUPS to be a multiple of 4, found " +
                  std::to_string(net.channels(x)) + " x " + std::to_string(groups));
    instances = net.add(branch + "regroup", graph::Regroup{blocks, masks}, {instances}, together);  // [B, N, G * D]
    instances = net.linear(branch + "fc", instances, width(together), {}, kReluFills);              // [B, N, G * D]
    instances = net.relu(branch + "fc.relu", instances);
  } else {
    net.weights().expect_absent(branch + "fc.weight", "BaseIAMDecoder does not have");
  }

  // What each instance is.
  DecoderOutputs out;
  out.class_logits = net.linear(branch + "cls_score", instances, Dim(config.classes, kKeys + "NUM_CLASSES"),
                                "class_logits", kClassFills);  // [B, N, K]
  const ValueId kernels =
      net.linear(branch + "mask_kernel", instances, width(config.kernel_width), {}, kKernelFills);  // [B, N, M]
  out.objectness_logits =
      net.linear(branch + "objectness", instances, 1, "objectness_logits", kObjectnessFills);  // [B, N, 1]

  // Where it is.
  ValueId y = conv_stack("decoder.mask_branch.mask_convs", located, config.mask, "MASK.CONVS", net);  // [B, h, w, D']
  y = net.conv("decoder.mask_branch.projection", y, net.channels(kernels), {.bias = true});           // [B, h, w, M]
  y = net.add("decoder.masks", graph::MaskProduct{}, {kernels, y}, masks);                            // [B, h, w, N]
  out.mask_logits = net.add("decoder.resize", graph::ResizeBilinear{config.scale_factor}, {y}, masks,
                            "mask_logits");  // [B, 2h, 2w, N]
  return out;
}

}  // namespace maskrt::weights
