// Convolution with its epilogue on NVIDIA GPUs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/cuda/launch.h"
#include "kernels/conv/conv.h"
#include "conv_params.h"
#include "conv_weight_layout.h"
#include "coordinate_table.h"

namespace maskrt::kernels {

/// What the epilogue adds before the activation.
enum class ConvResidual : std::uint8_t {
  none,
  same,       ///< a map of the output's shape
  upsampled,  ///< a map of half its height and width, each pixel standing for 2 x 2
};

/// out = activation(conv(in) * scale + bias + coordinate term + residual).
///   in [B, H, W, I]; out [B, H', W', O]; residual [B, H', W', O] or [B, H' / 2, W' / 2, O]: NHWC, one block each, each
///   possibly a slice of wider pixels. `in` f32 or f16; out and residual have one type, in's or f32.
///   Accumulated in f32; f16 is rounded once, at the store. f32 is computed in f32 unless tf32 is allowed.
/// Any alignment is right. Fast: 16-byte aligned pixels and channel offsets (f16: pixel_stride a multiple of 8; f32: of
/// 4). A stem reads 3 channels fast from pixels of 4 (block 4, pixel_stride 4, width even, the fourth zero).
/// Channels of `out` in [channels, block) are written as zeros. out may be the residual itself (same); not in.
/// Groups of the output may lie apart, so that each begins with a sector of memory: channel c of O / groups is then
/// element c / (O / groups) * out_group_stride + c % (O / groups) of a pixel, zeros are written between, and out.block
/// is groups * out_group_stride. Not where groups_may_lie_apart() says no.
struct CudaConvProblem {
  ConvGeometry geometry;
  Tensor in, out;
  Tensor residual;  ///< looked at where there is one
  ConvResidual residual_kind = ConvResidual::none;
  bool scale = false, bias = false, coordinates = false;
  std::int64_t out_group_stride = 0;  ///< at most a group's channels in sixteens; 0: groups follow each other
  bool tf32 = false;  ///< f32 alone: factors may be rounded to tf32, 10 bits of fraction, for tensor cores
  Activation activation = Activation::none;
  float slope = 0;  ///< what leaky ReLU multiplies negative numbers with
};

/// Whether the groups of a problem's output may lie apart: it has groups, each computed alone (conv_weight_layout.h),
/// and neither a residual nor a coordinate term.
bool groups_may_lie_apart(const CudaConvProblem& problem);

/// Which of a chip's kernels runs, and in how many parts the sum is split. A kernel's number is its place in
/// conv_kernels() and stays what it is within one version of the library.
struct ConvChoice {
  int kernel = -1;
  int splits = 1;
  bool operator==(const ConvChoice&) const = default;
};

/// A convolution that is ready to launch for one shape on one chip. Immutable, plain data; shareable between threads.
struct CudaConvPlan {
  CudaConvProblem problem;
  ConvWeightLayout weights;
  ConvChoice choice;
  std::size_t workspace_bytes = 0;  ///< of memory of any content while it runs, aligned to 256
  std::size_t counter_bytes = 0;    ///< of memory that is zero before the first launch and that each launch leaves zero
  double predicted_seconds = 0;     ///< conv_cost.h
  ConvParams params = {};           ///< all but the addresses
  KernelName kernel = {};
  Dim3 grid, block, cluster;
  int units = 0;  ///< where blocks stay: what clusters share out, pairs of tiles * params.splits
  int parts = 1;  ///< of a tile's sum within a cluster; then params.splits is 1
  std::uint32_t shared_bytes = 0;
};

/// Plans with what the cost model thinks best, or with `forced`. Tensors' `data` is looked at for its alignment to 16
/// bytes alone (null: aligned); launches must come with the same. Throws Error where shapes or types do not agree,
/// where a tensor has 2^31 elements or more, or where `forced` cannot compute the problem.
CudaConvPlan plan_conv(const CudaConvProblem& problem, const Chip& chip, const ConvChoice* forced = nullptr);

/// All choices that can compute the problem on that chip, the one that plan_conv takes first: what `tune` measures.
std::vector<ConvChoice> conv_choices(const CudaConvProblem& problem, const Chip& chip);

/// Addresses in device memory.
struct CudaConvOperands {
  const void* in = nullptr;
  const void* weights = nullptr;  ///< packed for plan.weights; aligned to 16 bytes
  const float* scale = nullptr;   ///< [O]
  const float* bias = nullptr;    ///< [O]
  const void* residual = nullptr;
  const void* coordinate_table = nullptr;  ///< CoordinateTable::bytes, aligned to 16
  void* out = nullptr;
  void* workspace = nullptr;
  void* counters = nullptr;
  const void* next_weights = nullptr;  ///< of the convolution that comes next: Hopper brings them into L2 meanwhile
  std::size_t next_weight_bytes = 0;
};

/// Launches one kernel. Throws Error where an operand is missing or its alignment is not the plan's.
void launch_conv(const CudaConvPlan& plan, const CudaConvOperands& operands, CudaQueue& queue);

}  // namespace maskrt::kernels
