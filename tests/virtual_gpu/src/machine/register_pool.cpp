#include "machine/register_pool.h"

#include <algorithm>
#include <string>

#include "machine/cta.h"

namespace vgpu {
namespace {

constexpr std::uint32_t kRegistersOfBlock = 65536;
constexpr std::uint32_t kMostRegisters = 256;

/// The product of a directive's numbers; 0 where the kernel lacks it.
std::uint32_t directive(const Program& kernel, const char* name) {
  const auto it = kernel.directives.find(name);
  if (it == kernel.directives.end() || it->second.empty()) return 0;
  std::uint32_t product = 1;
  for (const std::uint32_t n : it->second) product *= n;
  return product;
}

std::string request_text(bool increase, std::uint32_t count) {
  return std::string("setmaxnreg.") + (increase ? "inc " : "dec ") + std::to_string(count);
}

}  // namespace

std::uint32_t registers_at_launch(const Program& kernel) {
  if (const std::uint32_t most = directive(kernel, "maxnreg"); most != 0) return (most + 7) / 8 * 8;
  const std::uint32_t threads = std::max(directive(kernel, "maxntid"), directive(kernel, "reqntid"));
  if (threads == 0) return 0;
  const std::uint32_t warps = (threads + kWarpSize - 1) / kWarpSize * std::max(1u, directive(kernel, "minnctapersm"));
  return std::min(kMostRegisters, kRegistersOfBlock / (warps * kWarpSize) / 8 * 8);
}

void RegisterPool::check_request(const Warp& warp, const Instr& instr, bool increase, std::uint32_t count) {
  const Owner& owner = owners_[warp.index];
  std::vector<Request>& requests = requests_[warp.index / 4];
  const auto& warps = warp.cta->warps;
  for (std::size_t i = warp.index / 4 * 4; i < std::min<std::size_t>(warp.index / 4 * 4 + 4, warps.size()); ++i) {
    if (!warps[i]->finished() || owners_[i].requests > owner.requests) continue;
    warp.fail_at(instr, Check::invalid, warp.live(),
                 "all warps of a warpgroup execute " + request_text(increase, count) + ": warp " + std::to_string(i) +
                     " of this one has exited without");
  }
  if (owner.requests == requests.size()) {
    requests.push_back({&instr, increase, count, warp.index});
  } else if (const Request& first = requests[owner.requests]; first.increase != increase || first.count != count) {
    warp.fail_at(instr, Check::invalid, warp.live(),
                 "expected " + request_text(first.increase, first.count) + ", as warp " + std::to_string(first.warp) +
                     " of the warpgroup has executed, found " + request_text(increase, count),
                 first.instr);
  }
  if (increase ? count < owner.registers : count > owner.registers) {
    warp.fail_at(instr, Check::invalid, warp.live(),
                 "expected " + std::string(increase ? "at least" : "at most") + " the " +
                     std::to_string(owner.registers) + " registers that a thread has, found " +
                     request_text(increase, count));
  }
}

bool RegisterPool::set(Warp& warp, const Instr& instr, bool increase, std::uint32_t count) {
  Owner& owner = owners_[warp.index];
  if (owner.registers == 0) owner.registers = registers_at_launch(warp.cta->launch->kernel);
  if (owner.registers == 0) {
    warp.fail_at(instr, Check::invalid, warp.live(),
                 "setmaxnreg needs a known number of registers at launch: expected .maxnreg or .maxntid of the kernel, "
                 "found neither");
  }
  if (owner.waits == nullptr) {
    check_request(warp, instr, increase, count);
    ++owner.requests;
  }
  const bool waits = increase && spare_ < count - owner.registers;
  owner.waits = waits ? &instr : nullptr;
  owner.waits_for = count;
  if (waits) return false;
  spare_ += owner.registers;
  spare_ -= count;
  owner.registers = count;
  ++warp.cta->cluster->progress;
  return true;
}

void RegisterPool::check_exit(const Warp& warp) const {
  const std::vector<Request>& requests = requests_[warp.index / 4];
  const std::uint32_t made = owners_[warp.index].requests;
  if (made >= requests.size()) return;
  const Request& missed = requests[made];
  warp.fail_at(*missed.instr, Check::invalid, warp.lanes,
               "all warps of a warpgroup execute " + request_text(missed.increase, missed.count) + ": warp " +
                   std::to_string(missed.warp) + " has, and this one exits without");
}

void RegisterPool::report_wait(const Warp& warp) const {
  const Owner& owner = owners_[warp.index];
  if (owner.waits == nullptr) return;
  warp.fail_at(*owner.waits, Check::deadlock, warp.live(),
               "this warp waits for " + std::to_string((owner.waits_for - owner.registers) * kWarpSize) +
                   " registers more, " + std::to_string(owner.waits_for) + " rather than " +
                   std::to_string(owner.registers) + " a thread; the block's pool has " +
                   std::to_string(spare_ * kWarpSize) + ", and no other warp can release any");
}

}  // namespace vgpu
