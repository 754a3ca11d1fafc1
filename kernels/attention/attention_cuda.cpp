#include "attention_cuda.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "attention_params.h"
#include "kernels/cuda/kernel_family.h"
#include "kernels/cuda/map_of.h"

namespace maskrt::kernels {
namespace {

using enum DataType;
constexpr cuda::KernelFamily kAny{"attention",
                                  "queries, keys",
                                  {{{f32, f32}, {"attention/attention", "attention_any_f32"}},
                                   {{f16, f16}, {"attention/attention", "attention_any_f16"}},
                                   {{f32, f16}, {"attention/attention", "attention_any_f32_f16"}},
                                   {{f16, f32}, {"attention/attention", "attention_any_f16_f32"}}}};

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

std::string shape_of(const Tensor& t) { return to_string(Shape{t.batch, t.height, t.width, t.channels}); }

void check(const Tensor& queries, const Tensor& keys, const Tensor& values, int heads, const Tensor& out) {
  const bool fits = keys.batch == queries.batch && keys.channels == queries.channels && values.batch == keys.batch &&
                    values.height == keys.height && values.width == keys.width && out.batch == queries.batch &&
                    out.height == queries.height && out.width == queries.width && out.channels == values.channels;
  if (!fits || heads < 1 || queries.channels % heads != 0 || values.channels % heads != 0)
    throw Error(
        "attention: expected queries [B, H, W, C], keys [B, h, w, C], values [B, h, w, D] and an output [B, H, "
        "W, D] whose channels " +
        std::to_string(heads) + " heads divide, found " + shape_of(queries) + ", " + shape_of(keys) + ", " +
        shape_of(values) + " and " + shape_of(out));
  if (out.batch > 65535)
    throw Error("attention: expected a batch of at most 65535 images, found " + std::to_string(out.batch));
  cuda::require_same_type(queries, "attention: queries", out, "output");
  cuda::require_same_type(keys, "attention: keys", values, "values");
}

/// What a kernel of attention_mma.cu is launched with.
struct MmaKernel {
  KernelName name;
  std::int64_t queries;
  std::int32_t keys, stage_bytes, resident;
};
template <int width>
MmaKernel mma_kernel(const char* entry) {
  using Tile = cuda::AttentionMmaTile<width>;
  return {{"attention/attention_mma", entry}, Tile::kQueries, Tile::kKeys, Tile::kStageBytes, Tile::kResident};
}
MmaKernel mma_kernel_for(std::int64_t head_width) {
  if (head_width <= 32) return mma_kernel<32>("attention_mma_32");
  if (head_width <= 64) return mma_kernel<64>("attention_mma_64");
  return mma_kernel<128>("attention_mma_128");
}

/// A chunk of a head's channels is 16 bytes of fp16, or 32 of fp32, at a multiple of 16.
bool in_chunks(const Tensor& t) {
  const cuda::Map map = cuda::map_of(t, "attention");
  return map.aligned != 0;
}

}  // namespace

bool attention_has_tensor_cores(const Tensor& queries, const Tensor& keys, const Tensor& values, int heads,
                                const Tensor& out) {
  const std::int64_t key_width = queries.channels / heads, value_width = values.channels / heads;
  return (queries.type == f16 || keys.type == f16) && key_width % 8 == 0 && value_width % 8 == 0 &&
         std::max(key_width, value_width) <= 128 && out.block == out.channels && in_chunks(queries) &&
         in_chunks(keys) && in_chunks(values) && in_chunks(out);
}

void attention_cuda(CudaQueue& queue, const Tensor& queries, const Tensor& keys, const Tensor& values, int heads,
                    const Tensor& out) {
  KernelLaunch what;
  what.kernel = kAny.of({queries.type, keys.type});
  check(queries, keys, values, heads, out);
  cuda::AttentionParams params = {};
  params.queries = cuda::map_of(queries, "attention: queries");
  params.keys = cuda::map_of(keys, "attention: keys");
  params.values = cuda::map_of(values, "attention: values");
  params.out = cuda::map_of(out, "attention: output");
  const std::int64_t key_width = queries.channels / heads, value_width = values.channels / heads;
  const std::int64_t count = out.height * out.width;
  params.key_width = static_cast<std::int32_t>(key_width);
  params.value_width = static_cast<std::int32_t>(value_width);
  params.key_count = static_cast<std::int32_t>(keys.height * keys.width);
  params.scale = std::numbers::log2e_v<float> / std::sqrt(static_cast<float>(key_width));
  std::int64_t rows = heads;
  if (attention_has_tensor_cores(queries, keys, values, heads, out)) {
    const MmaKernel kernel = mma_kernel_for(std::max(key_width, value_width));
    const Chip& chip = queue.chip();
    what.kernel = kernel.name;
    params.queries_f32 = queries.type == f32 ? 1 : 0;
    params.keys_f32 = keys.type == f32 ? 1 : 0;
    params.key_tiles = static_cast<std::int32_t>(ceil_div(params.key_count, kernel.keys));
    params.stages = std::min(params.key_tiles, chip.path() == KernelPath::sm75 ? 2 : 3);
    what.shared_bytes = static_cast<std::uint32_t>(params.stages * kernel.stage_bytes);
    // Each block loops over tiles where there are more than the chip holds at a time.
    const std::int64_t tiles = ceil_div(count, kernel.queries);
    const std::int64_t wave = std::max(std::int64_t{chip.multiprocessors} * kernel.resident, std::int64_t{1});
    params.tiles =
        static_cast<std::int32_t>(std::clamp(ceil_div(tiles * heads * out.batch, wave), std::int64_t{1}, tiles));
    what.grid.x = static_cast<std::uint32_t>(ceil_div(tiles, params.tiles));
    what.block = {cuda::AttentionMmaTile<32>::kThreads, 1, 1};
  } else {
    using Tile = cuda::AttentionTile;
    params.value_chunks = static_cast<std::int32_t>(ceil_div(value_width, Tile::kChannels));
    rows *= params.value_chunks;
    what.grid.x = static_cast<std::uint32_t>(ceil_div(count, Tile::kQueries));
    what.block = {256, 1, 1};
  }
  if (rows > 65535)
    throw Error("attention: expected at most 65535 heads, each of 64 channels of values at most, found " +
                std::to_string(rows));
  what.grid.y = static_cast<std::uint32_t>(rows);
  what.grid.z = static_cast<std::uint32_t>(out.batch);
  what.overlaps_previous = true;
  what.parameters = bytes_of(params);
  queue.launch(what);
}

}  // namespace maskrt::kernels
