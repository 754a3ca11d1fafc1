// One tile's sum from several blocks of a cluster (sm_90).
//
// Each block has a part of the depth. When all have multiplied, each sends what it has of a stretch of the pixels to
// the block whose stretch that is, into the place of the stages, which nobody needs any more, and stores its own
// stretch: the sum's way through L2, and the block that would do it alone, are saved.
#pragma once

#include "kernels/ptx/cluster.cuh"
#include "kernels/ptx/shared_address.cuh"

namespace maskrt::kernels {

constexpr int pair = 2;  // blocks of a cluster that have one part, neighbours in it; they share weights

/// What one thread of one block does for it. Pixels are taken in eights, channels in Tile::blocks. With one part
/// nothing is exchanged.
template <typename Tile>
class ClusterSum {
 public:
  static constexpr int threads = 256;

  /// `rank`: of this block in its pair. `inbox`: where the stages are.
  __device__ __forceinline__ ClusterSum(int parts, int part, int rank, unsigned char* inbox)
      : parts_(parts), part_(part), rank_(rank), inbox_(inbox) {}

  // This block's stretch.
  __device__ __forceinline__ int first() const { return first_of(part_); }
  __device__ __forceinline__ int end() const { return first_of(part_ + 1); }
  __device__ __forceinline__ int count() const { return end() - first(); }

  /// Called by all consumers, once in a kernel; no stage is in use or on its way.
  __device__ __forceinline__ void exchange(const float (&sums)[Tile::blocks * Tile::eights][4]) const {
    if (parts_ == 1) return;
    ptx::cluster_arrive();
    ptx::cluster_wait();
    const std::uint32_t inbox = ptx::shared_address(inbox_);
#pragma unroll 1
    for (int j = 0; j < Tile::eights; ++j) {
      const int owner = ((j + 1) * parts_ - 1) / Tile::eights;
      if (owner == part_) continue;
      const std::uint32_t there = ptx::shared_of_block(inbox, static_cast<std::uint32_t>(owner * pair + rank_));
#pragma unroll
      for (int k = 0; k < Tile::eights; ++k) {
        if (k != j) continue;
#pragma unroll
        for (int b = 0; b < Tile::blocks; ++b)
          ptx::store_shared_of_block(there + offset(part_, owner, k, b), sums[b * Tile::eights + k]);
      }
    }
    ptx::cluster_arrive();
    ptx::cluster_wait();
  }
  /// What the block's other threads do meanwhile.
  __device__ __forceinline__ static void attend_exchange(int parts) {
    if (parts == 1) return;
    for (int i = 0; i < 2; ++i) {
      ptx::cluster_arrive();
      ptx::cluster_wait();
    }
  }

  /// All parts of four sums of eight k of this block's stretch, added in their order.
  __device__ __forceinline__ void total(const float (&own)[4], int k, int b, float (&sum)[4]) const {
#pragma unroll
    for (int i = 0; i < 4; ++i) sum[i] = own[i];
    if (parts_ == 1) return;
#pragma unroll
    for (int i = 0; i < 4; ++i) sum[i] = 0;
#pragma unroll 1
    for (int part = 0; part < parts_; ++part) {
      float4 more = make_float4(own[0], own[1], own[2], own[3]);
      if (part != part_) more = *reinterpret_cast<const float4*>(inbox_ + offset(part, part_, k, b));
      sum[0] += more.x;
      sum[1] += more.y;
      sum[2] += more.z;
      sum[3] += more.w;
    }
  }

 private:
  __device__ __forceinline__ int first_of(int part) const { return Tile::eights * part / parts_; }
  /// Where in the inbox of `owner` this thread's four sums of eight k from `part` lie.
  __device__ __forceinline__ std::uint32_t offset(int part, int owner, int k, int b) const {
    const int most = (Tile::eights + parts_ - 1) / parts_, place = part - (part > owner ? 1 : 0);
    return static_cast<std::uint32_t>(
        (((place * most + k - first_of(owner)) * Tile::blocks + b) * threads + static_cast<int>(threadIdx.x)) * 16);
  }

  int parts_, part_, rank_;
  unsigned char* inbox_;
};

}  // namespace maskrt::kernels
