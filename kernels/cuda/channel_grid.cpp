#include "channel_grid.h"

#include <algorithm>
#include <bit>
#include <string>

namespace maskrt::kernels::cuda {

ChannelGrid channel_grid(DataType type, std::int64_t channels, std::int64_t positions, std::int64_t batch) {
  if (batch > 65535) throw Error("expected a batch of at most 65535 images, found " + std::to_string(batch));
  constexpr std::uint32_t threads = 256;
  const auto each = static_cast<std::int64_t>(16 / size_of(type));
  const auto parts = static_cast<std::uint32_t>((channels + each - 1) / each);
  ChannelGrid g;
  g.block.x = std::min<std::uint32_t>(std::bit_ceil(parts), 32);
  g.block.y = threads / g.block.x;
  g.grid.x = static_cast<std::uint32_t>((positions + g.block.y - 1) / g.block.y);
  g.grid.y = (parts + g.block.x - 1) / g.block.x;
  g.grid.z = static_cast<std::uint32_t>(batch);
  return g;
}

}  // namespace maskrt::kernels::cuda
