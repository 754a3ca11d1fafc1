#include "deform_weight_layout.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "deform_tiles.h"

namespace maskrt::kernels {
namespace {

constexpr std::int64_t round_up(std::int64_t n, std::int64_t to) { return (n + to - 1) / to * to; }

}  // namespace

DeformWeightLayout deform_weight_layout(const DeformGeometry& geometry, DataType type, std::int64_t in_channels,
                                        std::int64_t out_channels) {
  const auto bytes = static_cast<std::int64_t>(size_of(type));
  DeformWeightLayout layout;
  layout.type = type;
  layout.taps = geometry.taps();
  layout.out_channels = out_channels;
  layout.group_in = in_channels / geometry.conv.groups;
  layout.part_channels = std::gcd(layout.group_in, in_channels / geometry.offset_groups);
  layout.tap_channels = round_up(layout.part_channels, 16 / bytes);
  const std::int64_t line = kDeformRunBytes / bytes;
  layout.block = layout.tap_channels % line == 0 ? line : layout.tap_channels;
  layout.run_taps = std::min<std::int64_t>(layout.taps, kDeformRunTaps);
  layout.tap_groups = (layout.taps + layout.run_taps - 1) / layout.run_taps;
  const std::int64_t last_taps = layout.taps - (layout.tap_groups - 1) * layout.run_taps;
  layout.run_depth = round_up(layout.run_taps * layout.tap_channels, line);
  layout.last_run_depth = round_up(last_taps * layout.tap_channels, line);
  return layout;
}

void pack_deform_weight(const DeformWeightLayout& layout, const float* weight, void* packed) {
  std::memset(packed, 0, layout.bytes());
  std::int64_t to = 0;
  const auto put = [&](float value) {
    if (layout.type == DataType::f16) {
      static_cast<std::uint16_t*>(packed)[to] = f16_from_float(value);
    } else {
      static_cast<float*>(packed)[to] = value;
    }
  };
  for (std::int64_t o = 0; o < layout.out_channels; ++o) {
    for (std::int64_t part = 0; part < layout.parts(); ++part) {
      for (std::int64_t tap_group = 0; tap_group < layout.tap_groups; ++tap_group) {
        const bool last = tap_group == layout.tap_groups - 1;
        const std::int64_t end = to + (last ? layout.last_run_depth : layout.run_depth);
        const std::int64_t first_tap = tap_group * layout.run_taps;
        const std::int64_t end_tap = std::min(first_tap + layout.run_taps, layout.taps);
        for (std::int64_t block = 0; block < layout.tap_channels; block += layout.block) {
          for (std::int64_t tap = first_tap; tap < end_tap; ++tap) {
            for (std::int64_t c = block; c < block + layout.block; ++c, ++to)
              if (c < layout.part_channels)
                put(weight[(o * layout.group_in + part * layout.part_channels + c) * layout.taps + tap]);
          }
        }
        to = end;
      }
    }
  }
}

}  // namespace maskrt::kernels
