// Which tile a convolution should take: a model of the time that each would need.
#pragma once

#include <cstdint>

#include "conv_kernels.h"

namespace maskrt::kernels {

/// A convolution as a GEMM, once for each group.
struct ConvGemm {
  std::int64_t pixels = 0;   ///< rows: batch * H' * W'
  std::int64_t columns = 0;  ///< output channels of a group
  std::int64_t taps = 1;
  std::int64_t tap_channels = 0;  ///< of a group, padding included
  std::int64_t groups = 1;
  std::int64_t bytes = 0;      ///< of all tensors, weights included, each once
  std::int64_t out_bytes = 0;  ///< that the epilogue reads and writes: the output and the residual
};

/// What the model knows of a chip, for one multiprocessor and one cycle.
struct ConvRates {
  double hertz;
  double tensor_flops;  ///< mma.sync, f16 with f32 sums, twice that of tf32; a fused multiply-add is two
  double wgmma_flops;   ///< 0: none
  double fp32_flops;
  double shared_bytes;  ///< of shared memory
  double l2_bytes;      ///< from L2, all multiprocessors together drawing on it
  double memory_bytes;  ///< from device memory, likewise
};
ConvRates conv_rates(const Chip& chip);

/// How many blocks of a kernel one multiprocessor holds: what registers and shared memory allow, 0 where one block asks
/// for more shared memory than the chip gives.
int resident_blocks(const ConvKernel& kernel, const Chip& chip);

/// What a tile of the kernel takes of the depth, in its steps.
inline std::int64_t steps_of(const ConvKernel& kernel, const ConvGemm& gemm) {
  if (kernel.by_tensor_copies()) return gemm.taps * ((gemm.tap_channels + kernel.step - 1) / kernel.step);
  return (gemm.taps * gemm.tap_channels + kernel.step - 1) / kernel.step;
}

/// 1, or `splits` where that many pairs of blocks form a cluster and add their parts in shared memory: on kernels fed
/// by tensor copies, two or four parts, where the chip holds all clusters at a time.
int parts_in_cluster(const ConvKernel& kernel, const ConvGemm& gemm, int splits, const Chip& chip);

/// Seconds that the kernel should take with its depth in `splits` parts. Blocks come in waves of what the chip holds;
/// those of one multiprocessor share its tensor cores, its shared memory and its part of L2, and the slowest of these
/// bounds a step. A block adds the time until its first tiles have come and its epilogue, which overlap with the steps
/// of other blocks on the multiprocessor where there are any. Sums that are split are written and read once more, or
/// exchanged within clusters.
/// Figures are the vendor's; latencies are rounded from published measurements on sm_80 and sm_90.
double predicted_seconds(const ConvKernel& kernel, const ConvGemm& gemm, int splits, const Chip& chip);

/// The numbers of parts worth considering: at least 4 steps each, at most 16, and none beyond what fills the chip.
/// Calls f(splits), 1 first.
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
