#include "resize_cuda.h"

#include <cmath>
#include <string>

#include "kernels/cuda/channel_grid.h"
#include "kernels/cuda/kernel_family.h"
#include "kernels/cuda/map_of.h"
#include "resize_params.h"

namespace maskrt::kernels {
namespace {

using enum DataType;
constexpr const char* kFile = "resize/resize";
constexpr cuda::KernelFamily kUpsampleNearest{
    "upsample",
    "input, output",
    {{{f32, f32}, {kFile, "upsample_nearest_f32"}}, {{f16, f16}, {kFile, "upsample_nearest_f16"}}}};
constexpr cuda::KernelFamily kResizeSum{"resize",
                                        "inputs, output",
                                        {{{f32, f32}, {kFile, "resize_sum_f32"}},
                                         {{f16, f16}, {kFile, "resize_sum_f16"}},
                                         {{f16, f32}, {kFile, "resize_sum_f16_f32"}}}};

void launch(CudaQueue& queue, const KernelName& kernel, const Tensor& out, std::span<const std::byte> parameters) {
  const cuda::ChannelGrid g = cuda::channel_grid(out.type, out.block, out.width, out.batch);
  if (out.height > 65535)
    throw Error("resize: expected an output of at most 65535 rows, found " + std::to_string(out.height));
  KernelLaunch what;
  what.kernel = kernel;
  what.grid = {g.grid.x, static_cast<std::uint32_t>(out.height), g.grid.z};
  what.block = g.block;
  what.overlaps_previous = true;
  what.parameters = parameters;
  queue.launch(what);
}

cuda::ResizeSumParams::Input input_of(const Tensor& in, const Tensor& out, float row_step, float column_step) {
  if (in.batch != out.batch || in.channels != out.channels)
    throw Error("resize: expected " + std::to_string(out.batch) + " images of " + std::to_string(out.channels) +
                " channels, found " + std::to_string(in.batch) + " of " + std::to_string(in.channels));
  return {cuda::map_of(in, "resize: input"), row_step, column_step};
}

void launch_sum(CudaQueue& queue, cuda::ResizeSumParams& params, DataType in, const Tensor& out) {
  params.vectors = params.out.aligned != 0 && out.block % 8 == 0 ? 1 : 0;
  for (const auto& input : std::span(params.inputs, static_cast<std::size_t>(params.count)))
    if (input.map.aligned == 0 || input.map.block < out.block) params.vectors = 0;
  launch(queue, kResizeSum.of({in, out.type}), out, bytes_of(params));
}

}  // namespace

void upsample_nearest_cuda(CudaQueue& queue, const Tensor& in, int factor, const Tensor& out) {
  if (factor < 1 || in.batch != out.batch || in.channels != out.channels || in.height * factor != out.height ||
      in.width * factor != out.width)
    throw Error("upsample: expected an output " + std::to_string(factor) + " times the input " +
                to_string(Shape{in.batch, in.height, in.width, in.channels}) + ", found " +
                to_string(Shape{out.batch, out.height, out.width, out.channels}));
  const cuda::UpsampleNearestParams params{cuda::map_of(in, "upsample: input"), cuda::map_of(out, "upsample: output"),
                                           factor};
  launch(queue, kUpsampleNearest.of({in.type, out.type}), out, bytes_of(params));
}

void resize_bilinear_sum_cuda(CudaQueue& queue, std::span<const Tensor> inputs, const Tensor& out) {
  if (inputs.empty() || inputs.size() > cuda::ResizeSumParams::kMostInputs)
    throw Error("resize: expected 1 to " + std::to_string(cuda::ResizeSumParams::kMostInputs) + " inputs, found " +
                std::to_string(inputs.size()));
  cuda::ResizeSumParams params{};
  for (const Tensor& in : inputs) {
    cuda::require_same_type(in, "resize: input", inputs.front(), "first input");
    params.inputs[params.count++] = input_of(in, out, static_cast<float>(in.height) / static_cast<float>(out.height),
                                             static_cast<float>(in.width) / static_cast<float>(out.width));
  }
  params.out = cuda::map_of(out, "resize: output");
  launch_sum(queue, params, inputs.front().type, out);
}

void resize_bilinear_factor_cuda(CudaQueue& queue, const Tensor& in, double factor, const Tensor& out) {
  const auto scaled = [&](std::int64_t n) {
    return static_cast<std::int64_t>(std::floor(static_cast<double>(n) * factor));
  };
  if (out.height != scaled(in.height) || out.width != scaled(in.width))
    throw Error("resize: expected an output of " + std::to_string(scaled(in.height)) + " x " +
                std::to_string(scaled(in.width)) + ", found " + std::to_string(out.height) + " x " +
                std::to_string(out.width));
  const float step = static_cast<float>(1.0 / factor);
  cuda::ResizeSumParams params{};
  params.inputs[params.count++] = input_of(in, out, step, step);
  params.out = cuda::map_of(out, "resize: output");
  launch_sum(queue, params, in.type, out);
}

}  // namespace maskrt::kernels
