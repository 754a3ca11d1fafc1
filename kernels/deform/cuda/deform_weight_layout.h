// Packed weights of the CUDA deformable convolutions: the right operand (B) of the implicit GEMM, one row for each
// output channel.
#pragma once

#include <cstddef>

#include "kernels/deform/deform_conv.h"

namespace maskrt::kernels {

/// The order of the depth, explained in deform_params.h: parts of the group's input channels, tap groups, blocks of
/// channels, taps, channels. A tap of a part is padded with zeros to 16 bytes, a run, which is one tap group of one
/// part, to kDeformRunBytes.
/// Example: 3 x 3 on 48 channels with 3 offset groups in f16: 3 parts of 16 channels, each one run of 9 taps by 16
/// channels, 144 elements padded to 192; a row has 576 elements.
struct DeformWeightLayout {
  DataType type = DataType::f32;  ///< f32 or f16
  std::int64_t taps = 1, out_channels = 0;
  std::int64_t group_in = 0;        ///< input channels of a group
  std::int64_t part_channels = 0;   ///< input channels of a part: the most that divide a group's and an offset group's
  std::int64_t tap_channels = 0;    ///< elements of a tap in a run: part_channels, padded to 16 bytes
  std::int64_t block = 0;           ///< channels of a tap that are neighbours: 128 bytes, or all of tap_channels
  std::int64_t run_taps = 1;        ///< taps of a run, but for the last tap group's
  std::int64_t tap_groups = 1;      ///< runs of a part
  std::int64_t run_depth = 0;       ///< elements of a run, padding included
  std::int64_t last_run_depth = 0;  ///< elements of a part's last run, padding included

  std::int64_t parts() const { return group_in / part_channels; }
  /// Elements of a row.
  std::int64_t depth() const { return parts() * ((tap_groups - 1) * run_depth + last_run_depth); }
  std::size_t bytes() const { return static_cast<std::size_t>(out_channels * depth()) * size_of(type); }
  bool operator==(const DeformWeightLayout&) const = default;
};

/// The layout for a map of `type` with `in_channels` channels.
DeformWeightLayout deform_weight_layout(const DeformGeometry& geometry, DataType type, std::int64_t in_channels,
                                        std::int64_t out_channels);

/// packed <- weight [out_channels, group_in, kernel height, kernel width], rounded to the layout's type. `packed` is
/// host memory of layout.bytes() bytes.
void pack_deform_weight(const DeformWeightLayout& layout, const float* weight, void* packed);

}  // namespace maskrt::kernels
