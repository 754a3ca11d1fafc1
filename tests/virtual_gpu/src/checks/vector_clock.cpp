#include "checks/vector_clock.h"

#include <algorithm>

namespace vgpu {
namespace {

/// The entry of a rank, made where it is missing.
template <class T>
T& entry(std::vector<T>& by_rank, std::uint32_t rank) {
  if (by_rank.size() <= rank) by_rank.resize(rank + 1);
  return by_rank[rank];
}

}  // namespace

void View::advance(std::uint32_t rank, std::uint32_t agent, std::uint32_t tick) {
  if (home == kNoBlock) home = static_cast<std::uint8_t>(rank);
  VectorClock& through_generic = rank == home ? generic : entry(peers, rank).generic;
  VectorClock& through_async = rank == home ? async : entry(peers, rank).async;
  through_generic.seen[agent] = std::max(through_generic.seen[agent], tick);
  through_async.seen[agent] = std::max(through_async.seen[agent], tick);
}

void View::fence_async() {
  async.join(generic);
  for (Peer& peer : peers) peer.async.join(peer.generic);
}

void View::join_cluster(const View& other) {
  if (other.home == kNoBlock) return;
  if (home == kNoBlock) home = other.home;
  const auto add = [this](std::uint32_t rank, const VectorClock& through_generic, const VectorClock& through_async) {
    if (rank == home) {
      generic.join(through_generic);
      async.join(through_async);
      return;
    }
    Peer& peer = entry(peers, rank);
    peer.generic.join(through_generic);
    peer.async.join(through_async);
  };
  add(other.home, other.generic, other.async);
  for (std::uint32_t rank = 0; rank < other.peers.size(); ++rank) {
    if (rank != other.home) add(rank, other.peers[rank].generic, other.peers[rank].async);
  }
  for (std::uint32_t rank = 0; rank < other.executed.size(); ++rank) entry(executed, rank).join(other.executed[rank]);
}

void View::join_executed(const View& other) {
  if (other.home == kNoBlock) return;
  if (home == kNoBlock) home = other.home;
  entry(executed, other.home).join(other.generic);
  for (std::uint32_t rank = 0; rank < other.peers.size(); ++rank) {
    if (rank != other.home) entry(executed, rank).join(other.peers[rank].generic);
  }
  for (std::uint32_t rank = 0; rank < other.executed.size(); ++rank) entry(executed, rank).join(other.executed[rank]);
}

}  // namespace vgpu
