// Bottleneck blocks (He et al., 2015), plain and deformable, for the residual networks that have them under the same
// names but for norms and shortcuts.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>

#include "weights_tools/builder/layers.h"

namespace maskrt::weights {

/// Blocks in each of the four stages of a residual network of depth 18, 34, 50, 101 or 152.
std::array<int, 4> blocks_per_stage(int depth);

/// "" or ", deformable res4 and res5", for a report; `deformable` is res2 to res5, of which `built` are built.
std::string deformable_stages(const std::vector<bool>& deformable, std::size_t built);

/// What stands behind the convolution `conv`, whose scales random weights draw from `weight`: its norm, as a rule.
using NormBehind = std::function<graph::ValueId(const std::string& conv, graph::ValueId x, const Fill& weight)>;

struct Bottleneck {
  std::int64_t width = 0;  ///< of the two inner convolutions, as configured; the tensors decide
  int stride1 = 1;         ///< of the first 1x1 convolution
  int stride2 = 1;         ///< of the 3x3 convolution
  int dilation = 1;        ///< of the 3x3 convolution, which is padded by as much
  int groups = 1;          ///< of the 3x3 convolution
  std::string groups_note = {};
  std::optional<Deformation> deformation = {};  ///< of the 3x3 convolution
};

/// The block NAME: x [B, h, w, C] -> conv1 1x1, conv2 3x3, conv3 1x1, each with its norm and ReLU, added to `identity`
/// [B, h/s, w/s, C'] before the last ReLU. conv2_offset belongs to a deformable conv2.
graph::ValueId add_bottleneck(const std::string& name, graph::ValueId x, graph::ValueId identity,
                              const Bottleneck& block, const NormBehind& norm, const Fill& last_norm,
                              const std::string& value, Layers& net);

}  // namespace maskrt::weights
