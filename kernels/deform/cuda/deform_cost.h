// A cost model that predicts the time of every kernel and split-K factor of a deformable convolution, to choose among
// them.
#pragma once

#include "kernels/conv/cuda/conv_cost.h"

namespace maskrt::kernels {

/// A deformable convolution as a GEMM, once for each group.
struct DeformGemm {
  std::int64_t pixels = 0;   ///< rows: batch * H' * W'
  std::int64_t columns = 0;  ///< output channels of a group
  std::int64_t groups = 1;
  std::int64_t depth = 0;      ///< elements of a row of weights
  std::int64_t run_taps = 1;   ///< taps that sample the same channels one after the other
  std::int64_t bytes = 0;      ///< bytes of all tensors, weights included, each once
  std::int64_t out_bytes = 0;  ///< bytes that the epilogue writes
  std::int64_t height = 0, width = 0, out_width = 0;
  int stride = 1;
  bool pooled = false;  ///< samples are means of 2 x 2 windows
  int reach = 0;        ///< pixels from a window's first to its last along each axis
};

/// Whether the splits of each tile form a cluster that adds their sums: on sm_90 with tensor cores, 2 to 8 splits,
/// where all clusters are resident at a time.
bool adds_in_cluster(const ConvKernel& kernel, const DeformGemm& gemm, int splits, const Chip& chip);

/// Predicted seconds of the kernel with split-K factor `splits`, from what its blocks issue. A step is bound by the
/// slowest of
///   products, on tensor cores or FP32 pipes;
///   instructions issued: of each sampled chunk of 16 bytes four loads, their addresses, conversions, 4 multiply-adds
///   for each number, and a store, as counted in the machine code; of products and their fragments; of copies of
///   weights; the bytes of shared memory and of the L1 cache, which is the same memory: operands stored and read,
///   corners; L2: weights, and each pixel that a tile's samples touch, once for all taps of a run, if L1 has room for
///   them, and for every tap otherwise. Offsets are taken to be of one pixel.
/// Blocks, prologues, epilogues and split-K cost as in conv_cost.h; a prologue also finds the corners.
double predicted_seconds(const ConvKernel& kernel, const DeformGemm& gemm, int splits, const Chip& chip);

/// Calls f(splits) for the split-K factors worth considering, in ascending order from 1: at most 16, at least 2 steps
/// for each split, and none that adds blocks once one wave is full.
template <typename F>
void for_each_split(const ConvKernel& kernel, const DeformGemm& gemm, const Chip& chip, F&& f) {
  const std::int64_t steps = gemm.depth / kernel.step;
  const std::int64_t tiles = (gemm.pixels + kernel.rows - 1) / kernel.rows *
                             ((gemm.columns + kernel.columns - 1) / kernel.columns) * gemm.groups;
  f(1);
  for (int splits = 2; splits <= 16 && steps >= 2 * splits; ++splits) {
    if (tiles * (splits - 1) >= std::int64_t{chip.multiprocessors} * resident_blocks(kernel, chip)) break;
    f(splits);
  }
}

}  // namespace maskrt::kernels
