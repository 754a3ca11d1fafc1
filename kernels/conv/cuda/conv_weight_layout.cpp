#include "conv_weight_layout.h"

#include <cstring>

namespace maskrt::kernels {
namespace {

constexpr std::int64_t round_up(std::int64_t n, std::int64_t to) { return (n + to - 1) / to * to; }

/// The smallest divisor of `groups` such that merged groups start at multiples of `piece` channels and have at least 32
/// output channels, the columns of the narrowest tile; `groups` where there is none.
int groups_to_merge(int groups, std::int64_t group_in, std::int64_t group_out, std::int64_t piece) {
  for (int merged = 1; merged < groups; ++merged)
    if (groups % merged == 0 && merged * group_in % piece == 0 && merged * group_out >= 32) return merged;
  return groups;
}

bool stored_in_pairs(const ConvGeometry& g, const Tensor& in) {
  return g.groups == 1 && g.dilation == 1 && g.stride % 2 == 0 && in.pixel_stride == 4 && in.block == 4 &&
         in.width % 2 == 0 && in.batch_stride % 8 == 0 && reinterpret_cast<std::uintptr_t>(in.data) % 16 == 0;
}

}  // namespace

ConvWeightLayout conv_weight_layout(const ConvGeometry& g, const Tensor& in, std::int64_t out_channels) {
  ConvWeightLayout layout;
  layout.type = in.type;
  layout.kernel_height = g.kernel_height;
  layout.kernel_width = g.kernel_width;
  layout.out_channels = out_channels;
  layout.group_in = in.channels / g.groups;
  layout.groups = g.groups;
  const auto piece = static_cast<std::int64_t>(16 / size_of(in.type));
  std::int64_t channels = layout.group_in;
  if (stored_in_pairs(g, in)) {
    layout.pixel_pairs = true;
    layout.pair_shift = g.padding % 2;
    channels = 8;
  } else if (in.type == DataType::f16) {
    layout.merged = groups_to_merge(g.groups, layout.group_in, out_channels / g.groups, piece);
    channels *= layout.merged;
  }
  layout.tap_channels = round_up(channels, piece);
  layout.depth = round_up(g.kernel_height * layout.device_kernel_width() * layout.tap_channels, 8 * piece);
  return layout;
}

void pack_conv_weight(const ConvWeightLayout& layout, const float* weight, void* packed) {
  std::memset(packed, 0, layout.bytes());
  const std::int64_t group_out = layout.out_channels / layout.groups, taps = layout.kernel_height * layout.kernel_width;
  for (std::int64_t o = 0; o < layout.out_channels; ++o) {
    const std::int64_t first_channel = o / group_out % layout.merged * layout.group_in;
    for (int ky = 0; ky < layout.kernel_height; ++ky) {
      for (int kx = 0; kx < layout.kernel_width; ++kx) {
        std::int64_t column = kx, channel = first_channel;
        if (layout.pixel_pairs) {
          column = (kx + layout.pair_shift) / 2;
          channel = (kx + layout.pair_shift) % 2 * 4;
        }
        const std::int64_t to =
            o * layout.depth + (ky * layout.device_kernel_width() + column) * layout.tap_channels + channel;
        for (std::int64_t c = 0; c < layout.group_in; ++c) {
          const float value = weight[(o * layout.group_in + c) * taps + ky * layout.kernel_width + kx];
          if (layout.type == DataType::f16) {
            static_cast<std::uint16_t*>(packed)[to + c] = f16_from_float(value);
          } else {
            static_cast<float*>(packed)[to + c] = value;
          }
        }
      }
    }
  }
}

}  // namespace maskrt::kernels
