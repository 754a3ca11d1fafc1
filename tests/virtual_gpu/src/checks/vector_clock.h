// Happens-before inside of one block: vector clocks over its warps and its mbarriers.
#pragma once

#include <array>
#include <cstdint>

namespace vgpu {

/// Agents of a block: its warps, then its mbarriers, which stand for the asynchronous copies that complete on them.
constexpr int kMaxWarps = 32;
constexpr int kMaxMbarriers = 92;
constexpr int kMbarrierAgent = kMaxWarps;
constexpr int kAgents = 128;

/// For each agent, the latest of its clock ticks that the owner is ordered after.
struct VectorClock {
  alignas(64) std::array<std::uint32_t, kAgents> seen{};

  void join(const VectorClock& other) {
    for (int i = 0; i < kAgents; ++i) seen[i] = seen[i] > other.seen[i] ? seen[i] : other.seen[i];
  }
};

/// What a warp (or whatever synchronises warps) is ordered after: through the generic proxy, and with the proxy fence
/// that the asynchronous proxy needs. PTX ISA, 8.2 "Memory Consistency Model", Proxies.
struct View {
  VectorClock generic;
  VectorClock async;
  /// The grids that a programmatic dependent launch depends on have ended: griddepcontrol.wait.
  bool grids_waited = false;

  void join(const View& other) {
    grids_waited = grids_waited || other.grids_waited;
    generic.join(other.generic);
    async.join(other.async);
  }
};

}  // namespace vgpu
