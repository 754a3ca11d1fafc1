#include "driver/objects/occupancy.h"

#include <algorithm>

#include "driver/objects/chip.h"

namespace vgpu::driver {
namespace {

constexpr std::uint32_t kSharedUnit = 128;
constexpr std::uint32_t kParts = 4;

std::uint32_t reserved_shared(const Driver& driver) { return driver.settings().compute_capability >= 80 ? 1024 : 0; }

std::uint32_t blocks_by_registers(const Driver& driver, const FunctionObject& function, std::uint32_t warps) {
  const std::uint32_t per_warp =
      (std::max(function.registers, 1u) * kWarpSize + kRegisterUnit - 1) / kRegisterUnit * kRegisterUnit;
  const std::uint32_t warps_held = driver.device->limits().registers_per_sm / kParts / per_warp * kParts;
  return warps_held / ((warps + kParts - 1) / kParts * kParts);
}

}  // namespace

std::uint32_t active_blocks(const Driver& driver, const FunctionObject& function, std::uint32_t threads,
                            std::uint64_t dynamic_shared) {
  const Limits& limits = driver.device->limits();
  if (threads == 0 || threads > max_threads(function)) return 0;
  const std::uint32_t warps = (threads + kWarpSize - 1) / kWarpSize;
  std::uint64_t blocks = std::min({limits.blocks_per_sm, limits.threads_per_sm / (warps * kWarpSize),
                                   blocks_by_registers(driver, function, warps)});
  std::uint64_t shared = function.program->static_shared + dynamic_shared;
  if (shared > limits.shared_per_block_optin) return 0;
  shared = (shared + reserved_shared(driver) + kSharedUnit - 1) / kSharedUnit * kSharedUnit;
  if (shared != 0) blocks = std::min(blocks, limits.shared_per_sm / shared);
  return static_cast<std::uint32_t>(blocks);
}

std::uint64_t available_dynamic_shared(const Driver& driver, const FunctionObject& function, std::uint32_t blocks,
                                       std::uint32_t threads) {
  require_value(blocks > 0 && threads > 0 && active_blocks(driver, function, threads, 0) >= blocks,
                "expected that many blocks to fit without dynamic shared memory");
  const std::uint64_t taken = function.program->static_shared + reserved_shared(driver);
  const std::uint64_t each = driver.device->limits().shared_per_sm / blocks / kSharedUnit * kSharedUnit;
  const std::uint64_t most = driver.device->limits().shared_per_block_optin - function.program->static_shared;
  return std::min(each - std::min(each, taken), most);
}

}  // namespace vgpu::driver
