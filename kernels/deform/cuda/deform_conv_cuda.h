// Deformable convolution with its epilogue on NVIDIA GPUs.
#pragma once

#include <cstddef>
#include <vector>

#include "deform_params.h"
#include "deform_weight_layout.h"
#include "kernels/conv/cuda/conv_cuda.h"
#include "kernels/cuda/launch.h"

namespace maskrt::kernels {

/// out = activation(conv(samples of in) * scale + bias), sampled as deform_conv.h says: tap t of an output pixel is
/// read where the tap of a convolution would be, plus (dy, dx), bilinearly with zeros beyond the map, and times the
/// sigmoid of the modulation where modulated. Shapes: in [B, H, W, I]; offsets [B, H', W', geometry.offset_channels()];
/// out [B, H', W', O]; all NHWC, each possibly a slice of wider pixels. Packed weights as DeformWeightLayout says;
/// scale and bias [O]. Types: `in` f32 or f16; offsets f32 or f16; out that of `in` or f32; scale and bias f32.
/// Positions and bilinear weights in f32; a sample is blended in f32 and rounded once to the type of `in`, products are
/// accumulated in f32 and rounded once, at the store. f32 is multiplied in f32, or in tf32 where that is allowed. The
/// same bits every time. Any offset is allowed: points at or beyond one pixel outside, infinite ones and NaNs give 0;
/// no address lies outside of the map. Alignment: elements may have any; tensor cores need pixels of `in`, and each
/// part of the channels that one group has offsets in common for, at multiples of 16 bytes; vectorised stores need the
/// same of out. Padding channels of `in` hold zeros where one group reads them all. Aliasing: none. Workspace:
/// CudaDeformPlan::workspace_bytes and counter_bytes, for split-K without clusters. Ragged edges: any extents. Channels
/// of out in [channels, block) are written as zeros, at most 7. Limits: kernels, strides, paddings and dilations below
/// 2^15, rows and columns of at most 2^23 pixels, tensors of fewer than 2^31 elements, 65535 groups. Bound by shared
/// memory and L1, through which samples come four times (docs/kernels.md); nothing was measured.
///
/// With `pooled` there are no offsets: out = activation(conv(pool(in)) * scale + bias), where conv is 1 x 1 and pool
/// the mean over windows of 2 x 2 with stride 2, of those at the map's end over the part inside; the geometry is a 1 x
/// 1 kernel of stride 2 without padding, which has as many outputs. All else is as above.
struct CudaDeformProblem {
  DeformGeometry geometry;
  Tensor in, offsets, out;
  bool scale = false, bias = false;
  bool pooled = false;
  bool tf32 = false;  ///< f32 only: operands may be rounded to tf32 (10 bits of mantissa) for tensor cores
  Activation activation = Activation::none;
  float slope = 0;  ///< negative slope of leaky ReLU
};

/// A deformable convolution planned for one shape on one chip, ready to launch. Immutable plain data; may be shared by
/// threads.
struct CudaDeformPlan {
  CudaDeformProblem problem;
  DeformWeightLayout weights;
  ConvChoice choice;                ///< kernel: an index into deform_kernels()
  std::size_t workspace_bytes = 0;  ///< split-K partial sums: uninitialised scratch memory, aligned to 256 bytes
  std::size_t counter_bytes = 0;    ///< split-K counters: zero before the first launch; each launch resets them to zero
  double predicted_seconds = 0;     ///< by the cost model, deform_cost.h
  DeformParams params = {};         ///< complete except for addresses
  KernelName kernel = {};
  Dim3 grid, block, cluster;
  std::uint32_t shared_bytes = 0;
};

/// Returns a plan for the choice that the cost model predicts to be fastest, or for `forced`. Of the tensors' `data`
/// only the alignment modulo 16 bytes matters (null: aligned); operands of launches must have the same. Throws Error
/// where shapes or types do not agree, where a tensor or an extent is beyond the limits, or where `forced` cannot
/// compute the problem.
CudaDeformPlan plan_deform_conv(const CudaDeformProblem& problem, const Chip& chip, const ConvChoice* forced = nullptr);

/// All choices that can compute the problem on that chip, in ascending order of predicted time; plan_deform_conv takes
/// the first.
std::vector<ConvChoice> deform_choices(const CudaDeformProblem& problem, const Chip& chip);

/// Addresses in device memory.
struct CudaDeformOperands {
  const void* in = nullptr;
  const void* offsets = nullptr;
  const void* weights = nullptr;  ///< packed in the layout plan.weights; aligned to 16 bytes
  const float* scale = nullptr;   ///< [O]
  const float* bias = nullptr;    ///< [O]
  void* out = nullptr;
  void* workspace = nullptr;
  void* counters = nullptr;
  const void* next_weights = nullptr;  ///< weights of the next convolution, which sm_90 prefetches into L2; or null
  std::size_t next_weight_bytes = 0;
};

/// Launches one kernel. Throws Error where an operand is missing or its alignment differs from the plan's.
void launch_deform_conv(const CudaDeformPlan& plan, const CudaDeformOperands& operands, CudaQueue& queue);

}  // namespace maskrt::kernels
