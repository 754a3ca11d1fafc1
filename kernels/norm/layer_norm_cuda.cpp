#include "layer_norm_cuda.h"

#include <algorithm>
#include <bit>
#include <string>

#include "kernels/cuda/kernel_family.h"
#include "kernels/cuda/map_of.h"
#include "layer_norm_params.h"

namespace maskrt::kernels {
namespace {

using enum DataType;
constexpr const char* kFile = "norm/layer_norm";

/// One family for each way in which a position is held.
constexpr cuda::KernelFamily family(const char* f32_entry, const char* f16_entry) {
  return {"layer norm", "input, output", {{{f32, f32}, {kFile, f32_entry}}, {{f16, f16}, {kFile, f16_entry}}}};
}
constexpr cuda::KernelFamily kFew = family("layer_norm_f32_x2", "layer_norm_f16_x2"),
                             kMany = family("layer_norm_f32_x8", "layer_norm_f16_x8"),
                             kAny = family("layer_norm_f32_any", "layer_norm_f16_any");
static_assert(cuda::kFewNormVectors == 2 && cuda::kManyNormVectors == 8);

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// Positions that each group of lanes computes: several where the grid fills the chip's multiprocessors with eight
/// blocks each anyway, so that the weights are staged less often.
std::int32_t passes_of(std::int64_t groups_of_positions, std::int64_t batch, const Chip& chip) {
  const std::int64_t blocks = 8 * std::max<std::int64_t>(chip.multiprocessors, 1);
  return static_cast<std::int32_t>(std::clamp<std::int64_t>(groups_of_positions * batch / blocks, 1, 8));
}

}  // namespace

void layer_norm_cuda(CudaQueue& queue, const Tensor& in, const float* weight, const float* bias, double epsilon,
                     Activation activation, const Tensor& out, float slope) {
  cuda::require_same_shape(in, "layer norm: input", out, "output");
  if (out.batch > 65535)
    throw Error("layer norm: expected a batch of at most 65535 images, found " + std::to_string(out.batch));
  cuda::LayerNormParams params = {};
  params.in = cuda::map_of(in, "layer norm: input");
  params.out = cuda::map_of(out, "layer norm: output");
  params.weight = weight;
  params.bias = bias;
  params.inverse_channels = 1 / static_cast<float>(in.channels);
  params.epsilon = static_cast<float>(epsilon);
  params.slope = slope;
  params.activation = activation;

  const std::int64_t each = 16 / static_cast<std::int64_t>(size_of(out.type)), vectors = ceil_div(out.block, each);
  const bool in_vectors = params.in.aligned != 0 && in.block >= ceil_div(in.channels, each) * each &&
                          params.out.aligned != 0 && out.block % each == 0;
  const std::int64_t positions = out.height * out.width;
  KernelLaunch what;
  what.block = {cuda::kLayerNormThreads, 1, 1};
  what.grid = {static_cast<std::uint32_t>(positions), static_cast<std::uint32_t>(out.batch), 1};
  what.overlaps_previous = true;
  if (!in_vectors || vectors > 32 * cuda::kManyNormVectors) {
    what.kernel = kAny.of({in.type, out.type});
  } else {
    // Few lanes with several vectors each need few shuffles and have several loads in flight.
    const bool few = vectors <= 16 * cuda::kFewNormVectors;
    what.kernel = (few ? kFew : kMany).of({in.type, out.type});
    const auto lanes = std::bit_ceil(
        static_cast<std::uint64_t>(ceil_div(vectors, few ? cuda::kFewNormVectors : cuda::kManyNormVectors)));
    const std::int64_t groups = cuda::kLayerNormThreads / static_cast<std::int64_t>(lanes);
    params.lanes_log2 = std::countr_zero(lanes);
    params.passes = passes_of(ceil_div(positions, groups), out.batch, queue.chip());
    what.grid.x = static_cast<std::uint32_t>(ceil_div(positions, groups * params.passes));
    const auto rows = static_cast<std::uint32_t>(2 * each / 4);
    what.shared_bytes = rows * static_cast<std::uint32_t>(cuda::norm_row_pitch(static_cast<int>(vectors))) * 4;
  }
  what.parameters = bytes_of(params);
  queue.launch(what);
}

}  // namespace maskrt::kernels
