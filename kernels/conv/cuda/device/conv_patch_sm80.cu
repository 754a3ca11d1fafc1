// Convolution in fp16 with kernels of at most 3 x 3 taps and stride 1 on tensor cores, sm_80 and newer: the input of a
// tile is a patch of the map in shared memory, loaded once for all taps, with its halo; mma.m16n8k16, fp32
// accumulators.
//
// The implicit GEMM loads each pixel of its tile once for every tap, nine times for 3 x 3. With few output channels
// that is most of its traffic from L2, which bounds it. Here a block computes 16 or 8 x 16 output pixels by 32 or 64
// channels. A step is 32 input channels: the patch of 18 or 10 x 18 pixels (64 bytes each) and the weights of all taps
// are copied by cp.async, zeros where the patch leaves the map; then all taps are multiplied. ldmatrix reads the im2col
// matrix in place: sixteen pixels of a line of the tile are sixteen neighbours of the patch, shifted by the tap.
// Swizzle: that of implicit_gemm.cuh by the pixel's place in the patch. Any eight neighbours hit different banks,
// wherever they begin. Lines are 24 pixels apart, so that a tap further down is a constant away.
// Example: 3 x 3 on 38 x 54 pixels, 256 channels to 18: tiles of 8 x 16 pixels, 5 x 4 of them, in 8 steps. The last row
// of tiles stores 6 lines, the last column 6 pixels; channels from 18 on are loaded as zeros and not stored. With 4
// splits a block has 2 steps, both of which are in flight at once.
// Bound by tensor cores; by shared memory with 8 x 16 pixels on sm_90, whose warps read 108 KiB a step and are given
// 29 KiB, 1097 cycles, for 907 cycles of products.
// Split-K: as in conv_mma_sm80.cu.
// Launch: grid [tiles x column tiles, groups, splits], dynamic shared memory of PatchTile::shared_bytes, clusters of
// [1, 1, splits] where p.in_cluster, programmatic dependent launch on sm_90.
#include <cuda_fp16.h>

#include "kernels/ptx/griddepcontrol.cuh"
#include "next_weights.cuh"
#include "patch_tile.cuh"

namespace maskrt::kernels {
namespace {

constexpr int kLineBytes = PatchTile::kPatchLine * PatchTile::kStep * 2;
static_assert(PatchTile::kPatchLine % 8 == 0 && PatchTile::kPatchLine > PatchTile::kPatchWidth);

/// Shapes of a block's tile, its product and its shared memory.
template <PatchTile tile>
struct Patch : Tile<__half, tile.product()> {
  static constexpr int kHeight = tile.height, kWidth = PatchTile::kWidth;
  static constexpr int kPatchPixels = tile.patch_height() * PatchTile::kPatchWidth;
  static constexpr int kPatchBytes = tile.patch_bytes(), kTapBytes = tile.tap_bytes();
  static constexpr int kStage = tile.stage_bytes(), kShared = tile.shared_bytes();
  static_assert(tile.product().threads() == PatchTile::kThreads && tile.warp_rows % PatchTile::kWidth == 0);
};

/// Starts the copies of a step's patch. Four threads have a pixel.
template <typename Shape>
__device__ __forceinline__ void load_patch(const ConvParams& p, const PatchWork<Shape>& work, int step,
                                           std::uint32_t shared) {
  constexpr int at_once = PatchTile::kThreads / PatchTile::kChunks;
  const int chunk = static_cast<int>(threadIdx.x % PatchTile::kChunks);
  const int channel = step * PatchTile::kStep + chunk * 8, y = work.y - p.padding_y, x = work.x - p.padding_x;
  const bool exists = channel < p.tap_channels;
  const __half* from =
      static_cast<const __half*>(p.in) +
      (work.image * p.in_batch_stride + (y * p.width + x) * p.in_pixel_stride + work.group * p.group_in + channel);
#pragma unroll 4
  for (int pixel = static_cast<int>(threadIdx.x / PatchTile::kChunks); pixel < Shape::kPatchPixels; pixel += at_once) {
    const int line = pixel / PatchTile::kPatchWidth, column = pixel % PatchTile::kPatchWidth;
    const bool inside = exists && static_cast<unsigned>(y + line) < static_cast<unsigned>(p.height) &&
                        static_cast<unsigned>(x + column) < static_cast<unsigned>(p.width);
    copy_chunk(shared + swizzled<PatchTile::kChunks>(line * PatchTile::kPatchLine + column, chunk),
               from + (line * p.width + column) * p.in_pixel_stride, !inside);
  }
}

/// Starts the copies of a step's weights: for each tap a row for each output channel.
template <typename Shape>
__device__ __forceinline__ void load_weights(const ConvParams& p, const PatchWork<Shape>& work, int step,
                                             std::uint32_t shared) {
  constexpr int at_once = PatchTile::kThreads / PatchTile::kChunks;
  const int chunk = static_cast<int>(threadIdx.x % PatchTile::kChunks);
  const int channel = step * PatchTile::kStep + chunk * 8, taps = p.kernel_height * p.kernel_width;
#pragma unroll
  for (int i = 0; i < Shape::kColumns / at_once; ++i) {
    const int row = static_cast<int>(threadIdx.x / PatchTile::kChunks) + i * at_once,
              of_group = work.first_channel + row;
    const bool exists = of_group < p.group_out && channel < p.tap_channels;
    const __half* from = static_cast<const __half*>(p.weights) +
                         static_cast<long long>(work.group * p.group_out + of_group) * p.depth + channel;
    std::uint32_t to = shared + swizzled<PatchTile::kChunks>(row, chunk);
#pragma unroll 3
    for (int tap = 0; tap < taps; ++tap, from += p.tap_channels, to += Shape::kTapBytes) copy_chunk(to, from, !exists);
  }
}

/// Multiplies all taps of a step. The taps of one column of the kernel share left fragments: sixteen pixels of a line
/// of the patch are multiplied with every tap whose line of the tile they belong to, so that a warp with 4 lines loads
/// 6 for 3 taps instead of 12. A left fragment is loaded one ahead, a tap's right fragments after their last use.
template <typename Shape>
__device__ __forceinline__ void multiply_step(const ConvParams& p, const Place<Shape>& place, std::uint32_t patch,
                                              float (&sums)[Shape::kFragments][4]) {
  constexpr int taps = PatchTile::kMostTaps, rows = Shape::kRowFragments, lines = rows + taps - 1;
  static_assert(lines % 2 == 0, "the first line of a column is in the same buffer each time");
  const int pixel = place.row() / PatchTile::kWidth * PatchTile::kPatchLine + place.lane % 16;
  const std::uint32_t weights = patch + Shape::kPatchBytes + place.right_in_tile();
  std::uint32_t left[2][4], right[taps][Shape::kColumnFragments / 2][4];
  std::uint32_t left_at = patch + swizzled<PatchTile::kChunks>(pixel, place.lane / 16), right_at = weights;
  const auto load_left = [&](int line) { ptx::ldmatrix_x4(left[line % 2], left_at + line * kLineBytes); };
  const auto load_right = [&](int tap) {
    if (tap >= p.kernel_height) return;
    const std::uint32_t at = right_at + static_cast<std::uint32_t>(tap * p.kernel_width * Shape::kTapBytes);
#pragma unroll
    for (int j = 0; j < Shape::kColumnFragments / 2; ++j)
      ptx::ldmatrix_x4(right[tap][j], at + j * 16 * PatchTile::kStep * 2);
  };
#pragma unroll
  for (int tap = 0; tap < taps; ++tap) load_right(tap);
  load_left(0);
  int column = 0;
#pragma unroll 1
  for (int product = 0; product < 2 * p.kernel_width; ++product) {  // two for each column, 16 channels each
#pragma unroll
    for (int line = 0; line < lines; ++line) {
      if (line + 1 < lines) load_left(line + 1);
      if (line == rows - 1) {  // on to the next product; after the last one this loads what is not used
        column = product % 2 == 0 ? column : column + 1 == p.kernel_width ? 0 : column + 1;
        right_at = weights + static_cast<std::uint32_t>(column * Shape::kTapBytes);
        if (product % 2 == 0) right_at ^= 32;
      }
#pragma unroll
      for (int tap = 0; tap < taps; ++tap) {
        const int i = line - tap;
        if (i < 0 || i >= rows || tap >= p.kernel_height) continue;
#pragma unroll
        for (int j = 0; j < Shape::kColumnFragments; ++j)
          ptx::mma_m16n8k16(sums[i * Shape::kColumnFragments + j], left[line % 2], right[tap][j / 2][j % 2 * 2],
                            right[tap][j / 2][j % 2 * 2 + 1]);
      }
      if (line >= rows - 1) load_right(line - (rows - 1));
      if (line == lines - 1) {
        left_at = patch + swizzled<PatchTile::kChunks>(pixel + column, place.lane / 16);
        if (product % 2 == 0) left_at ^= 32;
        load_left(0);
      }
    }
  }
}

template <typename Shape>
__device__ __forceinline__ void conv_patch(const ConvParams& p) {
  extern __shared__ __align__(128) unsigned char shared[];
  constexpr int stages = Shape::kStages;
  ptx::let_next_grid_start();
  const PatchWork<Shape> work(p);
  const std::uint32_t base = ptx::shared_address(shared);
  const auto stage_of = [&](int step) { return base + static_cast<std::uint32_t>(step % stages * Shape::kStage); };

  // Before griddepcontrol.wait: weights are constants, whereas the preceding kernel may still be writing the map.
#pragma unroll
  for (int step = 0; step < stages; ++step)
    if (step < work.steps) load_weights(p, work, work.begin + step, stage_of(step) + Shape::kPatchBytes);
  ptx::wait_for_previous_grid();
#pragma unroll
  for (int step = 0; step < stages; ++step) {
    if (step < work.steps) load_patch(p, work, work.begin + step, stage_of(step));
    commit_chunks();
  }
  if (threadIdx.x == 0)
    prefetch_next_weights(p, (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x,
                          gridDim.x * gridDim.y * gridDim.z);

  const Place<Shape> place(threadIdx.x);
  float sums[Shape::kFragments][4] = {};
#pragma unroll 1
  for (int step = 0; step < work.steps; ++step) {
    wait_for_chunks<stages - 1>();
    __syncthreads();
    multiply_step(p, place, stage_of(step), sums);
    __syncthreads();
    if (step + stages < work.steps) {
      load_weights(p, work, work.begin + step + stages, stage_of(step) + Shape::kPatchBytes);
      load_patch(p, work, work.begin + step + stages, stage_of(step));
    }
    commit_chunks();
  }
  // The epilogue of fp32 convolutions stores fp32 in whole sectors.
  if (p.out_f32 != 0)
    finish_patch<Shape, float>(p, work, sums, shared);
  else
    finish_patch<Shape, __half>(p, work, sums, shared);
}

}  // namespace

#define MASKRT_CONV_PATCH(name, ...)                                                                 \
  extern "C" __global__ void __launch_bounds__(PatchTile::kThreads, PatchTile{__VA_ARGS__}.resident) \
      name(const __grid_constant__ ConvParams p) {                                                   \
    conv_patch<Patch<PatchTile{__VA_ARGS__}>>(p);                                                    \
  }
MASKRT_CONV_PATCH_TILES(MASKRT_CONV_PATCH)
#undef MASKRT_CONV_PATCH

}  // namespace maskrt::kernels
