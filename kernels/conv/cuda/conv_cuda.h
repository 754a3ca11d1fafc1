// Convolution with its epilogue on NVIDIA GPUs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "conv_params.h"
#include "conv_weight_layout.h"
#include "coordinate_table.h"
#include "kernels/conv/conv.h"
#include "kernels/cuda/launch.h"

namespace maskrt::kernels {

/// The residual that the epilogue adds before the activation.
enum class ConvResidual : std::uint8_t {
  none,
  same,       ///< a map of the output's shape
  upsampled,  ///< a map of half the output's height and width, upsampled by nearest neighbour
};

/// out = activation(conv(in) * scale + bias + coordinate term + residual).
/// Shapes: in [B, H, W, I]; out [B, H', W', O]; residual [B, H', W', O] or [B, H' / 2, W' / 2, O]; all NHWC, each
/// possibly a slice of wider pixels. Packed weights as ConvWeightLayout says; scale and bias [O].
/// Types: `in` f32 or f16; out and residual of one type, that of `in` or f32; scale, bias and coordinate table f32.
/// Accumulated in f32 and rounded once, at the store. f32 is multiplied in f32, or in tf32 where that is allowed.
/// Alignment: elements may have any; tensor cores need pixels and channel offsets of `in` at multiples of 16 bytes
/// (f16: pixel_stride a multiple of 8; f32: of 4), vectorised stores the same of out. A stem with 3 channels is fast
/// from pixels stored as 4 (block 4, pixel_stride 4, even width, the fourth channel zero).
/// Aliasing: out may be the residual itself (kind `same`), but not `in`.
/// Workspace: CudaConvPlan::workspace_bytes and counter_bytes, for split-K without clusters.
/// Ragged edges: any extents. Channels of out in [channels, block) are written as zeros.
/// Padded groups: with out_group_stride, channel c is element c / (O / groups) * out_group_stride + c % (O / groups) of
/// a pixel, so that each group starts at a 32-byte sector; the padding between groups is written as zeros, and
/// out.block is groups * out_group_stride. Only where groups_may_lie_apart() allows it.
/// Limits: kernels up to 15 x 15, tensors of fewer than 2^31 elements, 65535 groups.
/// Bound by tensor cores, by L2 for small tiles, by memory in early layers; nothing was measured (docs/convolution.md).
struct CudaConvProblem {
  ConvGeometry geometry;
  Tensor in, out;
  Tensor residual;  ///< ignored where residual_kind is none
  ConvResidual residual_kind = ConvResidual::none;
  bool scale = false, bias = false, coordinates = false;
  /// Elements from the first channel of a group to that of the next; at most O / groups rounded up to 16. 0: dense
  /// groups.
  std::int64_t out_group_stride = 0;
  bool tf32 = false;  ///< f32 only: operands may be rounded to tf32 (10 bits of mantissa) for tensor cores
  Activation activation = Activation::none;  ///< but for GELU
  float slope = 0;                           ///< negative slope of leaky ReLU
  /// Layer norm (layer_norm.h) of each pixel's channels behind all that: out = norm(conv(in) * scale + bias +
  /// residual). Only where may_norm() says so.
  bool norm = false;
  float norm_epsilon = 0;
};

/// Whether a kernel computes the problem with a norm behind it: on the path sm90a in fp16 with 256 output channels, one
/// group, no activation, coordinate term or upsampled residual, and rows of 16 bytes that are aligned.
bool may_norm(const CudaConvProblem& problem, const Chip& chip);

/// Whether the groups of a problem's output may be padded to a stride: there are several groups, none of them merged
/// (conv_weight_layout.h), and neither a residual nor a coordinate term.
bool groups_may_lie_apart(const CudaConvProblem& problem);

/// The kernel that runs and its split-K factor. A kernel's number is its index in conv_kernels(), which is stable
/// within one version of the library.
struct ConvChoice {
  int kernel = -1;
  int splits = 1;
  bool operator==(const ConvChoice&) const = default;
};

/// A convolution planned for one shape on one chip, ready to launch. Immutable plain data; may be shared by threads.
struct CudaConvPlan {
  CudaConvProblem problem;
  ConvWeightLayout weights;
  ConvChoice choice;
  std::size_t workspace_bytes = 0;  ///< split-K partial sums: uninitialised scratch memory, aligned to 256 bytes
  std::size_t counter_bytes = 0;    ///< split-K counters: zero before the first launch; each launch resets them to zero
  double predicted_seconds = 0;     ///< by the cost model, conv_cost.h
  ConvParams params = {};           ///< complete except for addresses
  KernelName kernel = {};
  Dim3 grid, block, cluster;
  /// Number of work items (tile pairs x params.splits) that the clusters loop over; 0 for kernels that are not
  /// persistent.
  int work_items = 0;
  /// Split-K factor within a cluster, whose blocks add their partial sums through distributed shared memory. Where it
  /// exceeds 1, params.splits is 1 for persistent kernels, and the same for others.
  int cluster_splits = 1;
  std::uint32_t shared_bytes = 0;
};

/// Returns a plan for the choice that the cost model predicts to be fastest, or for `forced`. Of the tensors' `data`
/// only the alignment modulo 16 bytes matters (null: aligned); operands of launches must have the same. Throws Error
/// where shapes or types do not agree, where a tensor has 2^31 elements or more, or where `forced` cannot compute the
/// problem.
CudaConvPlan plan_conv(const CudaConvProblem& problem, const Chip& chip, const ConvChoice* forced = nullptr);

/// All choices that can compute the problem on that chip, in ascending order of predicted time; plan_conv takes the
/// first, and `maskrt tune` measures all.
std::vector<ConvChoice> conv_choices(const CudaConvProblem& problem, const Chip& chip);

/// Addresses in device memory.
struct CudaConvOperands {
  const void* in = nullptr;
  const void* weights = nullptr;  ///< packed in the layout plan.weights; aligned to 16 bytes
  const float* scale = nullptr;   ///< [O]
  const float* bias = nullptr;    ///< [O]
  const void* residual = nullptr;
  const void* coordinate_table = nullptr;                    ///< CoordinateTable::bytes, aligned to 16
  const float *norm_weight = nullptr, *norm_bias = nullptr;  ///< [O], aligned to 16 bytes
  void* out = nullptr;
  void* workspace = nullptr;
  void* counters = nullptr;
  const void* next_weights = nullptr;  ///< weights of the next convolution, which sm_90 prefetches into L2; or null
  std::size_t next_weight_bytes = 0;
};

/// Launches one kernel. Throws Error where an operand is missing or its alignment differs from the plan's.
void launch_conv(const CudaConvPlan& plan, const CudaConvOperands& operands, CudaQueue& queue);

}  // namespace maskrt::kernels
