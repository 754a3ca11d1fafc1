// Split-K reduction within a cluster, through distributed shared memory (sm_90).
//
// Each block of a cluster has accumulated one split of the depth of the same tile. The tile's pixels are divided among
// the blocks; each block sends its accumulators of the other blocks' pixels into their shared memory, where the
// pipeline's stages are no longer used, then adds what it has received to its own pixels and stores these. Compared
// with split_sum.cuh this saves the round trip through L2, and all blocks share the epilogue.
// Example: a tile of 72 pixels is 9 groups of 8. With 4 splits the blocks own groups 0..1, 2..3, 4..5 and 6..8.
#pragma once

#include "kernels/conv/cuda/conv_tiles.h"
#include "kernels/ptx/cluster.cuh"
#include "kernels/ptx/shared_address.cuh"

namespace maskrt::kernels {

constexpr int pair = WgmmaTile::kPair;  // blocks of a cluster with the same split of the depth, neighbours by rank

/// One consumer thread's part of the reduction. Pixels are divided in groups of 8, channels in Tile::blocks blocks of
/// 64. With one split nothing is exchanged.
template <typename Tile>
class ClusterSum {
 public:
  static constexpr int kThreads = WgmmaTile::kConsumers;

  /// `splits`: 1, 2 or 4. `rank`: this block's rank in its pair. `inbox`: the shared memory of the stages, which
  /// receives accumulators.
  __device__ __forceinline__ ClusterSum(int splits, int split, int rank, unsigned char* inbox)
      : splits_(splits), split_(split), rank_(rank), inbox_(inbox) {}

  // The groups of 8 pixels that this block owns: [first, end).
  __device__ __forceinline__ int first() const { return first_of(split_); }
  __device__ __forceinline__ int end() const { return first_of(split_ + 1); }
  __device__ __forceinline__ int count() const { return end() - first(); }

  /// Sends the accumulators to their owners. Called by all consumer threads, once in a kernel; no stage is in use and
  /// no load is in flight.
  __device__ __forceinline__ void exchange(const float (&sums)[Tile::kBlocks * Tile::kEights][4]) const {
    if (splits_ == 1) return;
    ptx::cluster_arrive();
    ptx::cluster_wait();
    const std::uint32_t inbox = ptx::shared_address(inbox_);
#pragma unroll 1
    for (int j = 0; j < Tile::kEights; ++j) {
      const int owner = ((j + 1) * splits_ - 1) / Tile::kEights;
      if (owner == split_) continue;
      const std::uint32_t there = ptx::shared_of_block(inbox, static_cast<std::uint32_t>(owner * pair + rank_));
#pragma unroll
      for (int k = 0; k < Tile::kEights; ++k) {
        if (k != j) continue;
#pragma unroll
        for (int b = 0; b < Tile::kBlocks; ++b)
          ptx::store_shared_of_block(there + offset(split_, owner, k, b), sums[b * Tile::kEights + k]);
      }
    }
    ptx::cluster_arrive();
    ptx::cluster_wait();
  }
  /// The cluster barriers of exchange(), for the block's other threads.
  __device__ __forceinline__ static void attend_exchange(int splits) {
    if (splits == 1) return;
    for (int i = 0; i < 2; ++i) {
      ptx::cluster_arrive();
      ptx::cluster_wait();
    }
  }

  /// Adds what the other splits have sent, in ascending order, to the accumulators that this block owns: in place,
  /// since there are no registers for both.
  __device__ __forceinline__ void add_received(float (&sums)[Tile::kBlocks * Tile::kEights][4]) const {
    if (splits_ == 1) return;
#pragma unroll 1
    for (int place = 0; place < splits_ - 1; ++place) {
      const int split = place + (place >= split_ ? 1 : 0);
#pragma unroll
      for (int k = 0; k < Tile::kEights; ++k) {
        if (k < first() || k >= end()) continue;
#pragma unroll
        for (int b = 0; b < Tile::kBlocks; ++b) {
          const float4 more = *reinterpret_cast<const float4*>(inbox_ + offset(split, split_, k, b));
          float(&own)[4] = sums[b * Tile::kEights + k];
          own[0] += more.x;
          own[1] += more.y;
          own[2] += more.z;
          own[3] += more.w;
        }
      }
    }
  }

 private:
  /// A division by `splits_`, which is 1, 2 or 4.
  __device__ __forceinline__ int over_splits(int n) const { return n >> (splits_ >> 1); }
  __device__ __forceinline__ int first_of(int split) const { return over_splits(Tile::kEights * split); }
  /// Byte offset in the inbox of `owner` of this thread's four accumulators of pixel group k and channel block b, sent
  /// by split `split`.
  __device__ __forceinline__ std::uint32_t offset(int split, int owner, int k, int b) const {
    const int most = over_splits(Tile::kEights + splits_ - 1), place = split - (split > owner ? 1 : 0);
    return static_cast<std::uint32_t>(
        (((place * most + k - first_of(owner)) * Tile::kBlocks + b) * kThreads + static_cast<int>(threadIdx.x)) * 16);
  }

  int splits_, split_, rank_;
  unsigned char* inbox_;
};

}  // namespace maskrt::kernels
