// Split-K reduction within a cluster by rows of a staging buffer (sm_90): each block has accumulated one split of the
// depth of the same tile.
//
// Every block stages its accumulators in its own shared memory, as the epilogue does; after a cluster barrier it owns
// some of the tile's rows (pixels), adds what all blocks have staged of these, in ascending order of splits, and stores
// them. Compared with split_sum.cuh this saves the round trip through L2, and all blocks share the epilogue.
// Example: a tile of 96 rows by 5 splits: the blocks own rows 0..18, 19..37, 38..56, 57..75 and 76..95.
#pragma once

#include "epilogue.cuh"
#include "kernels/ptx/cluster.cuh"
#include "kernels/ptx/shared_address.cuh"
#include "kernels/ptx/special_registers.cuh"

namespace maskrt::kernels {

#if __CUDA_ARCH__ >= 900
/// Adds this block's rows of a tile of `rows` pixels by `columns` channels, and calls store(first, end) for them.
/// `staging`: shared memory at the same offset in each of the cluster's `splits` blocks, which holds the block's
/// accumulators, a line of `line` words for each pixel with channels in the order of staging_index. Called by all
/// `threads` threads of all blocks, after the last write to it.
template <int rows, int columns, int line, int threads, typename Store>
__device__ __forceinline__ void add_cluster_rows(float* staging, int splits, Store&& store) {
  constexpr int fours = columns / 4;
  const unsigned thread = ptx::thread_index();
  ptx::cluster_arrive();
  ptx::cluster_wait();
  const int rank = static_cast<int>(ptx::cluster_rank());
  const int first = rows * rank / splits, end = rows * (rank + 1) / splits;
  const std::uint32_t base = ptx::shared_address(staging);
  for (int i = first * fours + static_cast<int>(thread); i < end * fours; i += threads) {
    // A line is two halves of columns / 2 words with 4 words of padding between them (staging_index).
    const int row = i / fours, four = i % fours;
    const int at = row * line + four * 4 + (four < fours / 2 ? 0 : 4);
    float4 sum = make_float4(0, 0, 0, 0);
    for (int split = 0; split < splits; ++split) {
      const float4 more = ptx::load_shared_of_block(
          ptx::shared_of_block(base + static_cast<std::uint32_t>(at * 4), static_cast<std::uint32_t>(split)));
      sum.x += more.x;
      sum.y += more.y;
      sum.z += more.z;
      sum.w += more.w;
    }
    *reinterpret_cast<float4*>(staging + at) = sum;  // of rows that no other block reads
  }
  ptx::cluster_arrive();  // this block has read all that it needs of the others
  __syncthreads();
  store(first, end);
  ptx::cluster_wait();  // the others have read this block's shared memory, which ends with it
}

/// As add_cluster_rows, and stores the sums. T is the type of the convolution's input.
template <int rows, int columns, int line, int threads, typename T>
__device__ __forceinline__ void store_cluster_rows(const ConvParams& p, float* staging, int first_pixel,
                                                   int first_channel, int group, int splits) {
  add_cluster_rows<rows, columns, line, threads>(staging, splits, [&](int first, int end) {
    Epilogue<columns, threads, T> store;
    store.start(p, ptx::thread_index(), first_channel, group);
    store.template store<line>(p, staging + first * line, first_pixel + first, end - first);
  });
}
#endif

}  // namespace maskrt::kernels
