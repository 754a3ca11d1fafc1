// Convolution in fp16 of an image, with 3 x 3 taps or fewer and stride 2, on tensor cores, sm_80 and newer: the first
// layer of ResNet-D. The image has 4 channels a pixel, the last of them zeros, and is read as pairs of pixels of 8
// channels (ConvWeightLayout), in which the kernel is 2 wide with stride 1; mma.m16n8k16, fp32 accumulators.
//
// With 48 products a sum, the layer is traffic alone: the implicit GEMM asks L2 for each pair twice a line and three
// times a column of taps, in pieces that end inside of sectors. Here a block loads the patch under 16 x 16 output
// pixels once: 33 lines of 18 pairs, from a pair that begins a sector on. A row of the im2col matrix is two
// neighbouring pairs of each of the kernel's lines, and those of neighbouring pixels are 16 bytes apart, so that
// ldmatrix reads them in place: 8 rows are 128 bytes of a line without bank conflicts, wherever they begin. Example: 3
// x 3 with padding 1 on 608 x 864: tiles of 16 x 16 of 304 x 432 pixels, 19 x 27 of them. The block of the first column
// loads pairs -2 to 15, of which those before the image are zeros and pair -2 belongs to no window. Bound by
// memory: 8.4 MB in and 8.4 MB out at that size with 32 channels. Products take 3 steps of 16 elements. Launch: grid
// [tiles x column tiles], dynamic shared memory of PairTile::shared_bytes, programmatic dependent launch on sm_90.
#include <cuda_fp16.h>

#include "kernels/ptx/griddepcontrol.cuh"
#include "next_weights.cuh"
#include "patch_tile.cuh"

namespace maskrt::kernels {
namespace {

/// Shapes of a block's tile, its product and its shared memory.
template <PairTile tile>
struct Pairs : Tile<__half, tile.product()> {
  static constexpr int kHeight = tile.height, kWidth = PairTile::kWidth;
  static constexpr int kLines = tile.lines(), kLineBytes = PairTile::kLinePairs * 16;
  static constexpr int kPatchBytes = tile.patch_bytes(), kShared = tile.shared_bytes();
  static_assert(tile.product().threads() == PairTile::kThreads && tile.warp_rows % PairTile::kWidth == 0);
  static_assert(kPatchBytes % 128 == 0, "weights are swizzled within 128 bytes");
};

/// Starts the copies of the weights: a row of 128 bytes for each output channel, whose end no product reads.
template <typename Shape>
__device__ __forceinline__ void load_weights(const ConvParams& p, const PatchWork<Shape>& work, std::uint32_t shared) {
  constexpr int chunks = 8;
  static_assert(chunks >= 2 * PairTile::kMostLines);
  const int chunk = static_cast<int>(threadIdx.x) % chunks;
#pragma unroll
  for (int row = static_cast<int>(threadIdx.x) / chunks; row < Shape::kColumns; row += PairTile::kThreads / chunks) {
    const int channel = work.first_channel + row;
    const __half* const from = static_cast<const __half*>(p.weights) + channel * p.depth + chunk * 8;
    if (chunk < 2 * p.kernel_height) copy_chunk(shared + swizzled<chunks>(row, chunk), from, channel >= p.group_out);
  }
}

/// Starts the copies of the patch, whose first column is pair `first`.
template <typename Shape>
__device__ __forceinline__ void load_patch(const ConvParams& p, const PatchWork<Shape>& work, int first,
                                           std::uint32_t shared) {
  constexpr int pairs = PairTile::kLinePairs;
  const int y = work.y * p.stride_y - p.padding_y;
  const __half* const from = static_cast<const __half*>(p.in) + work.image * p.in_batch_stride;
#pragma unroll
  for (int i = static_cast<int>(threadIdx.x); i < Shape::kLines * pairs; i += PairTile::kThreads) {
    const int line = y + i / pairs, pair = first + i % pairs;
    const bool inside = static_cast<unsigned>(line) < static_cast<unsigned>(p.height) &&
                        static_cast<unsigned>(pair) < static_cast<unsigned>(p.width);
    copy_chunk(shared + static_cast<std::uint32_t>(i * 16), from + (line * p.width + pair) * p.in_pixel_stride,
               !inside);
  }
}

template <typename Shape>
__device__ __forceinline__ void conv_pairs(const ConvParams& p) {
  extern __shared__ __align__(128) unsigned char shared[];
  ptx::let_next_grid_start();
  const PatchWork<Shape> work(p);
  const std::uint32_t patch = ptx::shared_address(shared), weights = patch + Shape::kPatchBytes;
  const int begin = work.x - p.padding_x, first = begin & ~1;

  // Before griddepcontrol.wait: weights are constants, whereas the preceding kernel may still be writing the image.
  load_weights(p, work, weights);
  ptx::wait_for_previous_grid();
  load_patch(p, work, first, patch);
  commit_chunks();
  if (threadIdx.x == 0) prefetch_next_weights(p, blockIdx.x, gridDim.x);

  const Place<Shape> place(threadIdx.x);
  float sums[Shape::kFragments][4] = {};
  // ldmatrix takes a row's address from each lane: of a pixel's first pair from lanes 0 to 15, of its second from the
  // others; of eight channels' first or second eight weights.
  const std::uint32_t left_at =
      patch + static_cast<std::uint32_t>(place.row() / Shape::kWidth * p.stride_y * Shape::kLineBytes +
                                         (begin - first + place.lane % 16 + place.lane / 16) * 16);
  const int row = place.column() + place.lane % 8 + place.lane / 16 * 8, half = place.lane / 8 % 2;
  wait_for_chunks<0>();
  __syncthreads();
#pragma unroll
  for (int tap = 0; tap < PairTile::kMostLines; ++tap) {
    if (tap >= p.kernel_height) break;
    std::uint32_t right[Shape::kColumnFragments / 2][4];
#pragma unroll
    for (int j = 0; j < Shape::kColumnFragments / 2; ++j)
      ptx::ldmatrix_x4(right[j], weights + swizzled<8>(row + j * 16, tap * 2 + half));
#pragma unroll
    for (int i = 0; i < Shape::kRowFragments; ++i) {
      std::uint32_t left[4];
      ptx::ldmatrix_x4(left, left_at + static_cast<std::uint32_t>((i * p.stride_y + tap) * Shape::kLineBytes));
#pragma unroll
      for (int j = 0; j < Shape::kColumnFragments; ++j)
        ptx::mma_m16n8k16(sums[i * Shape::kColumnFragments + j], left, right[j / 2][j % 2 * 2],
                          right[j / 2][j % 2 * 2 + 1]);
    }
  }
  __syncthreads();
  // The epilogue of fp32 convolutions stores fp32 in whole sectors.
  if (p.out_f32 != 0)
    finish_patch<Shape, float>(p, work, sums, shared);
  else
    finish_patch<Shape, __half>(p, work, sums, shared);
}

}  // namespace

#define MASKRT_CONV_PAIRS(name, ...)                                                               \
  extern "C" __global__ void __launch_bounds__(PairTile::kThreads, PairTile{__VA_ARGS__}.resident) \
      name(const __grid_constant__ ConvParams p) {                                                 \
    conv_pairs<Pairs<PairTile{__VA_ARGS__}>>(p);                                                   \
  }
MASKRT_CONV_PAIRS_TILES(MASKRT_CONV_PAIRS)
#undef MASKRT_CONV_PAIRS

}  // namespace maskrt::kernels
