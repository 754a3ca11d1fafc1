// A cost model that predicts the time of every convolution kernel and split-K factor, to choose among them.
#pragma once

#include <cstdint>

#include "conv_kernels.h"

namespace maskrt::kernels {

/// A convolution as a GEMM, once for each group.
struct ConvGemm {
  std::int64_t pixels = 0;   ///< rows: batch * H' * W'
  std::int64_t columns = 0;  ///< output channels of a group
  std::int64_t taps = 1;
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

/// Occupancy: blocks of a kernel that one multiprocessor holds, limited by registers and shared memory. 0 where one
/// block needs more shared memory than the chip has for a block.
int resident_blocks(const ConvKernel& kernel, const Chip& chip);

/// Steps of the kernel's main loop over the whole depth.
inline std::int64_t steps_of(const ConvKernel& kernel, const ConvGemm& gemm) {
  if (kernel.uses_tma()) return gemm.taps * ((gemm.tap_channels + kernel.step - 1) / kernel.step);
  return (gemm.taps * gemm.tap_channels + kernel.step - 1) / kernel.step;
}

/// The split-K factor within a cluster: `splits` where the kernel is fed by TMA, splits is 2 or 4 and all clusters of
/// that many pairs of blocks are resident at a time; else 1, and split-K goes through global memory.
int splits_in_cluster(const ConvKernel& kernel, const ConvGemm& gemm, int splits, const Chip& chip);

/// Predicted seconds of the kernel with split-K factor `splits`. Blocks run in waves of as many as are resident. The
/// blocks of one multiprocessor share its tensor cores, shared memory and share of L2 bandwidth; the slowest of these
/// bounds a step. Each block adds the latency of its prologue (filling the pipeline) and its epilogue, which overlap
/// with the main loops of other resident blocks. Split-K adds the traffic of the partial sums, through global memory or
/// within clusters.
/// Rates are the vendor's; latencies are rounded from published measurements on sm_80 and sm_90.
double predicted_seconds(const ConvKernel& kernel, const ConvGemm& gemm, int splits, const Chip& chip);

/// Calls f(splits) for the split-K factors worth considering, in ascending order from 1: at most 16, at least 4 steps
/// for each split, and none that adds blocks once one wave is full.
template <typename F>
void for_each_split(const ConvKernel& kernel, const ConvGemm& gemm, const Chip& chip, F&& f) {
  const std::int64_t steps = steps_of(kernel, gemm);
  const std::int64_t tiles = (gemm.pixels + kernel.rows - 1) / kernel.rows *
                             ((gemm.columns + kernel.columns - 1) / kernel.columns) * gemm.groups;
  f(1);
  for (int splits = 2; splits <= 16 && steps >= 4 * splits; ++splits) {
    if (tiles * (splits - 1) >= std::int64_t{chip.multiprocessors} * resident_blocks(kernel, chip)) break;
    f(splits);
  }
}

}  // namespace maskrt::kernels
