#include "bottleneck.h"

#include <vector>

#include "weights_tools/words.h"

namespace maskrt::weights {

using graph::ValueId;

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

std::string deformable_stages(const std::vector<bool>& deformable, std::size_t built) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < deformable.size() && i < built; ++i)
    if (deformable[i]) names.push_back("res" + std::to_string(i + 2));
  return names.empty() ? "" : ", deformable " + joined(names, "and");
}

// Random weights: a block's own input was not halved by a ReLU, for most of it had passed one before; so conv1, which
// reads it, keeps the default fills, and the others have kReluFills.
ValueId add_bottleneck(const std::string& name, ValueId x, ValueId identity, const Bottleneck& block,
                       const NormBehind& norm, const Fill& last_norm, const std::string& value, Layers& net) {
  if (!block.deformation)
    net.weights().expect_absent(name + ".conv2_offset.weight",
                                "makes conv2 deformable, but MODEL.RESNETS.DEFORM_ON_PER_STAGE says it is not");

  ValueId y = net.conv(name + ".conv1", x, width(block.width), {.stride = block.stride1});  // [B, .., .., C'/4]
  y = norm(name + ".conv1", y, kNormWeightFill);
  y = net.relu(name + ".conv1.relu", y);

  const ConvOptions conv2{.kernel = 3,
                          .stride = block.stride2,
                          .padding = block.dilation,
                          .dilation = block.dilation,
                          .groups = block.groups,
                          .groups_note = block.groups_note,
                          .fills = kReluFills};
  y = block.deformation
          ? net.deform_conv(name + ".conv2", name + ".conv2_offset", y, width(block.width), conv2, *block.deformation)
          : net.conv(name + ".conv2", y, width(block.width), conv2);  // [B, h/s, w/s, C'/4]
  y = norm(name + ".conv2", y, kNormWeightFill);
  y = net.relu(name + ".conv2.relu", y);

  y = net.conv(name + ".conv3", y, net.channels(identity), {.fills = kReluFills});  // [B, h/s, w/s, C']
  y = norm(name + ".conv3", y, last_norm);
  return net.relu(name + ".relu", net.sum(name + ".add", y, identity), value);
}

}  // namespace maskrt::weights
