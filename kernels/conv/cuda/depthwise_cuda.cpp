#include "depthwise_cuda.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>

#include "conv_cost.h"
#include "depthwise_params.h"
#include "kernels/cuda/kernel_family.h"
#include "kernels/cuda/map_of.h"
#include "kernels/element.h"

namespace maskrt::kernels {
namespace {

using enum DataType;
constexpr const char* kFile = "conv/depthwise";
constexpr cuda::KernelFamily k3x3{
    "depthwise convolution",
    "input, output",
    {{{f32, f32}, {kFile, "depthwise_3x3_f32"}}, {{f16, f16}, {kFile, "depthwise_3x3_f16"}}}};
constexpr cuda::KernelFamily kAny{
    "depthwise convolution",
    "input, output",
    {{{f32, f32}, {kFile, "depthwise_any_f32"}}, {{f16, f16}, {kFile, "depthwise_any_f16"}}}};

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// Channels of 16 bytes.
std::int64_t channels_of_vector(DataType type) { return 16 / static_cast<std::int64_t>(size_of(type)); }

void check(const ConvGeometry& g, const Tensor& in, const Tensor& out) {
  const Shape want{in.batch, conv_output_size(in.height, g.kernel_height, g),
                   conv_output_size(in.width, g.kernel_width, g), in.channels},
      found{out.batch, out.height, out.width, out.channels};
  if (want != found)
    throw Error("depthwise convolution: expected an output of " + to_string(want) + ", found " + to_string(found));
  if (!is_depthwise(g, in.channels, out.channels))
    throw Error("depthwise convolution: expected a group for each of " + std::to_string(in.channels) +
                " channels, found " + std::to_string(g.groups));
  if (out.batch > 65535)
    throw Error("depthwise convolution: expected a batch of at most 65535 images, found " + std::to_string(out.batch));
}

/// Output rows of a thread: many, as each strip reads two rows more, but two blocks for each that a multiprocessor
/// holds.
std::int32_t rows_of(const Tensor& out, std::int64_t vectors, const Chip& chip) {
  const std::int64_t wanted = std::int64_t{2 * 3 * cuda::DepthwiseTile::kThreads} * std::max(chip.multiprocessors, 1);
  std::int64_t rows = cuda::DepthwiseTile::kMostRows;
  while (rows > 2 && out.batch * out.width * vectors * ceil_div(out.height, rows) < wanted) rows /= 2;
  return static_cast<std::int32_t>(rows);
}

}  // namespace

std::vector<std::byte> pack_depthwise_weight(DataType type, const Shape& shape, const std::vector<float>& weight,
                                             const std::vector<float>& factors, const std::vector<float>& biases) {
  if (type != f32 && type != f16)
    throw Error("depthwise convolution: expected weights in fp32 or fp16, found " + std::string(name_of(type)));
  const std::int64_t channels = shape[0], count = shape[2] * shape[3], each = channels_of_vector(type);
  const std::int64_t vectors = ceil_div(channels, each), stored = vectors * each;
  const auto row_bytes = static_cast<std::size_t>(vectors * 4) * sizeof(float);
  const auto rows = static_cast<std::size_t>(each / 4);
  std::vector<std::byte> packed(2 * rows * row_bytes + static_cast<std::size_t>(count * stored) * size_of(type));
  const auto pack_vector = [&](const std::vector<float>& numbers, float otherwise, std::size_t first_row) {
    for (std::int64_t c = 0; c < channels; ++c) {
      const float number = numbers.empty() ? otherwise : numbers[static_cast<std::size_t>(c)];
      const std::size_t row = first_row + static_cast<std::size_t>(c / 4 % (each / 4));
      const auto place = static_cast<std::size_t>(c / each * 4 + c % 4) * sizeof(float);
      std::memcpy(packed.data() + row * row_bytes + place, &number, sizeof number);
    }
  };
  pack_vector(factors, 1, 0);
  pack_vector(biases, 0, rows);
  const Tensor taps = dense(packed.data() + 2 * rows * row_bytes, type, 1, 1, count, stored, 0);
  for (std::int64_t c = 0; c < channels; ++c)
    for (std::int64_t tap = 0; tap < count; ++tap)
      set(taps, 0, 0, tap, c, weight[static_cast<std::size_t>(c * count + tap)]);
  return packed;
}

void depthwise_conv_cuda(CudaQueue& queue, const ConvGeometry& geometry, const Tensor& in, const void* weights,
                         Activation activation, const Tensor& out, float slope) {
  check(geometry, in, out);
  cuda::DepthwiseParams params = {};
  params.in = cuda::map_of(in, "depthwise convolution: input");
  params.out = cuda::map_of(out, "depthwise convolution: output");
  params.weights = weights;
  params.width = cuda::divide_by(out.width);
  params.kernel_height = geometry.kernel_height;
  params.kernel_width = geometry.kernel_width;
  params.stride = geometry.stride;
  params.padding = geometry.padding;
  params.dilation = geometry.dilation;
  params.activation = activation;
  params.slope = slope;

  const std::int64_t each = channels_of_vector(out.type), vectors = ceil_div(out.block, each);
  const bool in_vectors = params.in.aligned != 0 && in.block >= ceil_div(in.channels, each) * each &&
                          params.out.aligned != 0 && out.block % each == 0;
  const bool is_3x3 = geometry.kernel_height == 3 && geometry.kernel_width == 3 && geometry.stride == 1 &&
                      geometry.dilation == 1 && in_vectors;
  KernelLaunch what;
  what.kernel = (is_3x3 ? k3x3 : kAny).of({in.type, out.type});
  params.rows = is_3x3 ? rows_of(out, vectors, queue.chip()) : 1;
  const std::int64_t items = out.width * ceil_div(out.height, params.rows);
  params.items = static_cast<std::int32_t>(items);
  what.block.x = std::min<std::uint32_t>(std::bit_ceil(static_cast<std::uint32_t>(vectors)), 32);
  what.block.y = cuda::DepthwiseTile::kThreads / what.block.x;
  what.grid = {static_cast<std::uint32_t>(ceil_div(items, what.block.y)),
               static_cast<std::uint32_t>(ceil_div(vectors, what.block.x)), static_cast<std::uint32_t>(out.batch)};
  what.overlaps_previous = true;
  what.parameters = bytes_of(params);
  queue.launch(what);
}

double predicted_depthwise_seconds(const ConvGeometry& geometry, const Tensor& out, Activation activation,
                                   const Chip& chip) {
  const ConvRates rates = conv_rates(chip);
  const double pixels = static_cast<double>(out.batch * out.height * out.width);
  const double numbers = pixels * static_cast<double>(out.block);
  const double bytes = numbers * static_cast<double>(size_of(out.type)) * (1 + geometry.stride * geometry.stride);
  // One multiply-add a tap, three conversions of what it loads and one instruction around them; GELU has twelve.
  const double instructions =
      geometry.kernel_height * geometry.kernel_width + 4 + (activation == Activation::gelu ? 12 : 0);
  const double cycles = std::max(bytes / rates.memory_bytes, 2 * numbers * instructions / rates.fp32_flops);
  return (cycles / std::max(chip.multiprocessors, 1) + 1500) / rates.hertz;
}

}  // namespace maskrt::kernels
