// A cost model that predicts the time of every convolution kernel and split-K factor, to choose among them.
#pragma once

#include <cstdint>

#include "conv_kernels.h"

namespace maskrt::kernels {

/// A convolution as a GEMM, once for each group.
struct ConvGemm {
  std::int64_t pixels = 0;                         ///< rows: images * height * width
  std::int64_t images = 1, height = 1, width = 1;  ///< of the output
  std::int64_t columns = 0;                        ///< output channels of a group
  std::int64_t taps = 1, kernel_height = 1;
  std::int64_t tap_channels = 0;  ///< input channels of a group, padding included
  std::int64_t groups = 1;
  std::int64_t bytes = 0;      ///< bytes of all tensors, weights included, each once
  std::int64_t out_bytes = 0;  ///< bytes that the epilogue reads and writes: output and residual
};

/// Peak rates of a chip. All but `hertz` are per multiprocessor and cycle; a fused multiply-add counts as two
/// operations.
struct ConvRates {
  double hertz;
  double tensor_flops;  ///< mma.sync, f16 with f32 accumulators; tf32 has half of it
  double wgmma_flops;   ///< 0 where the chip has no wgmma
  double fp32_flops;
  double shared_bytes;  ///< bytes from or to shared memory
  double l2_bytes;      ///< bytes from L2 while all multiprocessors load
  double memory_bytes;  ///< bytes from device memory while all multiprocessors load
};
ConvRates conv_rates(const Chip& chip);

/// Cycles of a block that has its multiprocessor to itself.
struct BlockCycles {
  double steps;     ///< of its main loop
  double step;      ///< of a step: what bounds it, and other blocks on the multiprocessor cannot use
  double overhead;  ///< of a step: what other blocks hide
  double fill;      ///< prologue
  double tail;      ///< epilogue
};

/// Predicted cycles of a grid. Blocks run in waves of `resident` on each of `multiprocessors`, which share what bounds
/// a step; prologues are hidden by other resident blocks and, where `overlaps_waves`, by the preceding wave.
double grid_cycles(const BlockCycles& block, std::int64_t blocks, std::int64_t multiprocessors, std::int64_t resident,
                   bool overlaps_waves);

/// Latencies in cycles, rounded from published measurements on sm_80 and sm_90.
inline constexpr double kFillCycles = 1500;     ///< prologue: addresses, then the first stages' loads from memory or L2
inline constexpr double kStepCycles = 60;       ///< barrier and issue of a step where no other block hides them
inline constexpr double kLoadCycles = 600;      ///< of a step that is loaded from L2 while nothing is multiplied
inline constexpr double kExchangeCycles = 600;  ///< two cluster barriers and the latency of distributed shared memory

/// Whether so many clusters of `blocks` blocks are resident on the chip at a time, one block on each multiprocessor.
bool clusters_fit(std::int64_t clusters, int blocks, const Chip& chip);

/// Occupancy: blocks of a kernel that one multiprocessor holds, limited by registers and shared memory. 0 where one
/// block needs more shared memory than the chip has for a block.
int resident_blocks(const ConvKernel& kernel, const Chip& chip);

/// Tiles of output pixels: consecutive ones, or rectangles for kernels that read patches.
inline std::int64_t row_tiles(const ConvKernel& kernel, const ConvGemm& gemm) {
  const auto parts = [](std::int64_t n, std::int64_t of) { return (n + of - 1) / of; };
  if (!kernel.reads_patch()) return parts(gemm.pixels, kernel.rows);
  return gemm.images * parts(gemm.height, kernel.patch_height) * parts(gemm.width, kernel.rows / kernel.patch_height);
}

/// Steps of the kernel's main loop over the whole depth.
inline std::int64_t steps_of(const ConvKernel& kernel, const ConvGemm& gemm) {
  if (kernel.reads_patch()) return (gemm.tap_channels + kernel.step - 1) / kernel.step;
  if (kernel.uses_tma()) return gemm.taps * ((gemm.tap_channels + kernel.step - 1) / kernel.step);
  return (gemm.taps * gemm.tap_channels + kernel.step - 1) / kernel.step;
}

/// The split-K factor within a cluster of sm_90, and 1 where split-K goes through global memory. It is `splits` where
/// all clusters are resident at a time and, for kernels fed by TMA, whose clusters have that many pairs of blocks,
/// splits is 2 or 4; for others on tensor cores, a block can stage its whole tile and splits is 2 to 8.
int splits_in_cluster(const ConvKernel& kernel, const ConvGemm& gemm, int splits, const Chip& chip);

/// Predicted seconds of the kernel with split-K factor `splits`. Blocks run in waves of as many as are resident. The
/// blocks of one multiprocessor share its tensor cores, shared memory and share of L2 bandwidth; the slowest of these
/// bounds a step. Each block adds the latency of its prologue (filling the pipeline) and its epilogue, which overlap
/// with the main loops of other resident blocks. Split-K adds the traffic of the partial sums, through global memory or
/// within clusters.
/// Kernels that read patches load the first step's operands before they multiply, and those with one stage each step's.
/// Rates are the vendor's; latencies are rounded from published measurements on sm_80 and sm_90.
double predicted_seconds(const ConvKernel& kernel, const ConvGemm& gemm, int splits, const Chip& chip);

/// Calls f(splits) for the split-K factors worth considering, in ascending order from 1: at most 16, at least 4 steps
/// for each split (1 of all taps), and none that adds blocks once one wave is full.
template <typename F>
void for_each_split(const ConvKernel& kernel, const ConvGemm& gemm, const Chip& chip, F&& f) {
  const std::int64_t steps = steps_of(kernel, gemm), least = kernel.reads_patch() ? 1 : 4;
  const std::int64_t tiles =
      row_tiles(kernel, gemm) * ((gemm.columns + kernel.columns - 1) / kernel.columns) * gemm.groups;
  f(1);
  for (int splits = 2; splits <= 16 && steps >= least * splits; ++splits) {
    if (tiles * (splits - 1) >= std::int64_t{chip.multiprocessors} * resident_blocks(kernel, chip)) break;
    f(splits);
  }
}

}  // namespace maskrt::kernels
