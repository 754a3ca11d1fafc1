#include "conv_tensor_maps.h"

#include <algorithm>

#include "conv_kernels.h"

namespace maskrt::kernels {

bool suits_tma(const CudaConvProblem& problem, const ConvWeightLayout& weights) {
  const ConvGeometry& g = problem.geometry;
  const int reach = g.dilation * (std::max(g.kernel_height, g.kernel_width) - 1);
  const bool whole_groups = weights.device_groups() == 1 || weights.tap_channels % 64 == 0;
  return whole_groups && !weights.pixel_pairs && g.stride <= 8 && g.padding <= 127 && reach <= 127;
}

ConvTmaParams with_tensor_maps(const CudaConvPlan& plan, const ConvParams& params, CudaQueue& queue) {
  const ConvKernel& kernel = conv_kernels()[static_cast<std::size_t>(plan.choice.kernel)];
  const ConvGeometry& g = plan.problem.geometry;
  const Tensor& in = plan.problem.in;
  const auto wide = [](std::int64_t n) { return static_cast<std::uint64_t>(n); };
  const auto step = static_cast<std::uint32_t>(g.stride);

  // The im2col bounding box covers the position of tap (0, 0) of every window, from the first window to the last.
  Im2colMap pixels;
  pixels.tensor = {
      .type = DataType::f16,
      .address = params.in,
      .rank = 4,
      .extents = {wide(in.channels), wide(in.width), wide(in.height), wide(in.batch)},
      .strides = {wide(in.pixel_stride * 2), wide(in.width * in.pixel_stride * 2), wide(in.batch_stride * 2)},
      .steps = {1, step, step, 1, 1},
      .swizzle = Swizzle::bytes128};
  pixels.lower[0] = pixels.lower[1] = -g.padding;
  pixels.upper[0] = g.padding - g.dilation * (g.kernel_width - 1);
  pixels.upper[1] = g.padding - g.dilation * (g.kernel_height - 1);
  pixels.channels = static_cast<std::uint32_t>(kernel.step);
  pixels.pixels = static_cast<std::uint32_t>(kernel.rows);

  TiledMap weights;
  weights.tensor = {.type = DataType::f16,
                    .address = params.weights,
                    .rank = 2,
                    .extents = {wide(plan.weights.depth), wide(plan.weights.out_channels)},
                    .strides = {wide(plan.weights.depth * 2)},
                    .swizzle = Swizzle::bytes128};
  weights.box[0] = static_cast<std::uint32_t>(kernel.step);
  weights.box[1] = static_cast<std::uint32_t>(kernel.columns / kernel.cluster());

  ConvTmaParams result = {};
  result.pixels = queue.encode(pixels);
  result.weights = queue.encode(weights);
  result.conv = params;
  result.channel_steps = static_cast<int>((plan.weights.tap_channels + kernel.step - 1) / kernel.step);
  result.cluster_splits = plan.cluster_splits;
  result.work_items = plan.work_items;
  const auto pair_pixels = static_cast<std::int64_t>(kernel.cluster()) * kernel.rows;
  result.splits = cuda::divide_by(params.splits);
  result.group_pairs = cuda::divide_by((params.pixels + pair_pixels - 1) / pair_pixels * params.column_tiles);
  result.column_tiles = cuda::divide_by(params.column_tiles);
  result.slices = cuda::divide_by(std::int64_t{params.splits} * plan.cluster_splits);
  result.clusters = static_cast<int>(plan.grid.x / plan.cluster.x);
  return result;
}

}  // namespace maskrt::kernels
