#include "octet_grid.h"

#include <algorithm>
#include <bit>
#include <string>

namespace maskrt::kernels::cuda {

OctetGrid octet_grid(std::int64_t channels, std::int64_t positions, std::int64_t batch, std::uint32_t threads) {
  if (batch > 65535) throw Error("expected a batch of at most 65535 images, found " + std::to_string(batch));
  const auto octets = static_cast<std::uint32_t>((channels + 7) / 8);
  OctetGrid g;
  g.block.x = std::min<std::uint32_t>(std::bit_ceil(octets), 32);
  g.block.y = threads / g.block.x;
  g.grid.x = static_cast<std::uint32_t>((positions + g.block.y - 1) / g.block.y);
  g.grid.y = (octets + g.block.x - 1) / g.block.x;
  g.grid.z = static_cast<std::uint32_t>(batch);
  return g;
}

}  // namespace maskrt::kernels::cuda
