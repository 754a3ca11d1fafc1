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
constexpr cuda::KernelFamily kAnyMasked{"attention",
                                        "queries, keys",
                                        {{{f32, f32}, {"attention/attention", "attention_masked_f32"}},
                                         {{f16, f16}, {"attention/attention", "attention_masked_f16"}},
                                         {{f32, f16}, {"attention/attention", "attention_masked_f32_f16"}},
                                         {{f16, f32}, {"attention/attention", "attention_masked_f16_f32"}}}};
constexpr const char* kMasksFile = "attention/attention_masks";
constexpr cuda::KernelFamily kMaskBits{
    "attention",
    "masks",
    {{{f32}, {kMasksFile, "attention_mask_bits_f32"}}, {{f16}, {kMasksFile, "attention_mask_bits_f16"}}}};
constexpr cuda::KernelFamily kFinish{
    "attention",
    "output",
    {{{f32}, {kMasksFile, "attention_finish_f32"}}, {{f16}, {kMasksFile, "attention_finish_f16"}}}};

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

std::string shape_of(const Tensor& t) { return to_string(Shape{t.batch, t.height, t.width, t.channels}); }

void check(const Tensor& queries, const Tensor& keys, const Tensor& values, int heads, const Tensor& out,
           const Tensor* masks) {
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
  if (masks == nullptr) return;
  if (masks->batch != keys.batch || masks->height != keys.height || masks->width != keys.width ||
      masks->channels > queries.height * queries.width)
    throw Error("attention: expected masks of " + shape_of(keys) + " with a channel for each query at most, found " +
                shape_of(*masks) + " for " + std::to_string(queries.height * queries.width) + " queries");
}

/// What kernels of attention_mma.cu are launched with.
struct MmaKernel {
  KernelName name, split;
  std::int64_t queries;
  std::int32_t keys, stage_bytes, resident, resident_split;
};
template <int width>
MmaKernel mma_kernel(const char* entry, const char* split) {
  using Tile = cuda::AttentionMmaTile<width>;
  constexpr const char* file = "attention/attention_mma";
  return {{file, entry},     {file, split},   Tile::kQueries,      Tile::kKeys,
          Tile::kStageBytes, Tile::kResident, Tile::kResidentSplit};
}
MmaKernel mma_kernel_for(std::int64_t head_width) {
  if (head_width <= 32) return mma_kernel<32>("attention_mma_32", "attention_split_32");
  if (head_width <= 64) return mma_kernel<64>("attention_mma_64", "attention_split_64");
  return mma_kernel<128>("attention_mma_128", "attention_split_128");
}

/// A chunk of a head's channels is 16 bytes of fp16, or 32 of fp32, at a multiple of 16.
bool in_chunks(const Tensor& t) {
  const cuda::Map map = cuda::map_of(t, "attention");
  return map.aligned != 0;
}

/// Blocks that share the keys of a tile of queries: several where few queries do not fill the chip.
std::int64_t splits_for(const MmaKernel& kernel, const Tensor& keys, int heads, const Tensor& out, bool masked,
                        const Chip& chip) {
  constexpr std::int64_t fewest_tiles = 4, most = 16;  // parts that are more cost more to add up than they save
  const std::int64_t count = out.height * out.width, tiles = ceil_div(count, kernel.queries),
                     key_tiles = ceil_div(keys.height * keys.width, kernel.keys),
                     wave = std::int64_t{chip.multiprocessors} * kernel.resident_split;
  if (!masked && tiles > 1) return 1;
  return std::clamp<std::int64_t>(std::min(wave / (tiles * heads * out.batch), key_tiles / fewest_tiles), 1, most);
}

/// Where things are in the workspace.
struct Workspace {
  std::int64_t words = 0, chunks = 0, stride = 0;               // of masks
  std::size_t left_out = 0, open = 0, partials = 0, bytes = 0;  // offsets, and all

  Workspace(const Tensor& keys, const Tensor& out, int heads, std::int64_t splits, const Tensor* masks) {
    const auto place = [this](std::int64_t words_of_4_bytes) {
      const std::size_t at = bytes;
      bytes += (static_cast<std::size_t>(words_of_4_bytes) * 4 + 255) / 256 * 256;
      return at;
    };
    if (masks != nullptr) {
      const std::int64_t count = keys.height * keys.width;
      words = ceil_div(count, 32);
      chunks = ceil_div(count, cuda::kMaskChunk);
      stride = ceil_div(masks->channels, 8) * 8;
      left_out = place(out.batch * words * stride);
      open = place(out.batch * chunks * stride);
    }
    if (splits > 1)
      partials = place(out.batch * splits * out.height * out.width * (out.channels + 2 * std::int64_t{heads}));
  }
};

/// Makes words of the masks, and tells the parameters of attention where they are.
void launch_mask_bits(CudaQueue& queue, const Tensor& masks, const Workspace& places, void* workspace,
                      cuda::AttentionParams& attention) {
  std::byte* const first = static_cast<std::byte*>(workspace);
  cuda::MaskBitsParams params = {};
  params.masks = cuda::map_of(masks, "attention: masks");
  params.left_out = reinterpret_cast<std::uint32_t*>(first + places.left_out);
  params.open = reinterpret_cast<std::uint32_t*>(first + places.open);
  params.words = static_cast<std::int32_t>(places.words);
  params.chunks = static_cast<std::int32_t>(places.chunks);
  params.stride = static_cast<std::int32_t>(places.stride);
  attention.left_out = params.left_out;
  attention.open = params.open;
  attention.masked_queries = params.masks.channels;
  attention.mask_words = params.words;
  attention.mask_chunks = params.chunks;
  attention.mask_stride = params.stride;
  KernelLaunch what;
  what.kernel = kMaskBits.of({masks.type});
  what.grid = {static_cast<std::uint32_t>(places.chunks), static_cast<std::uint32_t>(ceil_div(masks.channels, 32)),
               static_cast<std::uint32_t>(masks.batch)};
  what.block = {cuda::kMaskChunk, 1, 1};
  what.overlaps_previous = true;
  what.parameters = bytes_of(params);
  queue.launch(what);
}

}  // namespace

bool attention_has_tensor_cores(const Tensor& queries, const Tensor& keys, const Tensor& values, int heads,
                                const Tensor& out) {
  const std::int64_t key_width = queries.channels / heads, value_width = values.channels / heads;
  return (queries.type == f16 || keys.type == f16) && key_width % 8 == 0 && value_width % 8 == 0 &&
         std::max(key_width, value_width) <= 128 && out.block == out.channels && in_chunks(queries) &&
         in_chunks(keys) && in_chunks(values) && in_chunks(out);
}

std::size_t attention_workspace_bytes(const Tensor& queries, const Tensor& keys, const Tensor& values, int heads,
                                      const Tensor& out, const Tensor* masks, const Chip& chip) {
  const std::int64_t splits = attention_parts(queries, keys, values, heads, out, masks, chip).splits;
  return Workspace(keys, out, heads, splits, masks).bytes;
}

AttentionParts attention_parts(const Tensor& queries, const Tensor& keys, const Tensor& values, int heads,
                               const Tensor& out, const Tensor* masks, const Chip& chip) {
  check(queries, keys, values, heads, out, masks);
  if (!attention_has_tensor_cores(queries, keys, values, heads, out)) return {};
  const std::int64_t splits = splits_for(mma_kernel_for(std::max(queries.channels, values.channels) / heads), keys,
                                         heads, out, masks != nullptr, chip);
  return {splits, Workspace(keys, out, heads, splits, masks).partials};
}

void attention_cuda(CudaQueue& queue, const Tensor& queries, const Tensor& keys, const Tensor& values, int heads,
                    const Tensor& out, const Tensor* masks, void* workspace, bool finished) {
  KernelLaunch what;
  what.kernel = (masks != nullptr ? kAnyMasked : kAny).of({queries.type, keys.type});
  check(queries, keys, values, heads, out, masks);
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
  const Chip& chip = queue.chip();
  const bool tensor_cores = attention_has_tensor_cores(queries, keys, values, heads, out);
  const MmaKernel kernel = mma_kernel_for(std::max(key_width, value_width));
  const std::int64_t splits = tensor_cores ? splits_for(kernel, keys, heads, out, masks != nullptr, chip) : 1;
  params.splits = static_cast<std::int32_t>(splits);

  const Workspace places(keys, out, heads, splits, masks);
  if (places.bytes > 0 && workspace == nullptr)
    throw Error("attention: expected a workspace of " + std::to_string(places.bytes) + " bytes, found none");
  const auto at = [&](std::size_t offset) { return static_cast<std::byte*>(workspace) + offset; };
  if (splits > 1) params.partials = reinterpret_cast<float*>(at(places.partials));
  if (masks != nullptr) launch_mask_bits(queue, *masks, places, workspace, params);

  std::int64_t rows = heads;
  if (tensor_cores) {
    const bool split = masks != nullptr || splits > 1;
    what.kernel = split ? kernel.split : kernel.name;
    params.queries_f32 = queries.type == f32 ? 1 : 0;
    params.keys_f32 = keys.type == f32 ? 1 : 0;
    params.key_tiles = static_cast<std::int32_t>(ceil_div(params.key_count, kernel.keys));
    params.stages = static_cast<std::int32_t>(
        std::min<std::int64_t>(ceil_div(params.key_tiles, splits), chip.path() == KernelPath::sm75 ? 2 : 3));
    what.shared_bytes = static_cast<std::uint32_t>(params.stages * kernel.stage_bytes);
    // Each block loops over tiles where there are more than the chip holds at a time.
    const std::int64_t tiles = ceil_div(count, kernel.queries);
    const std::int64_t resident = split ? kernel.resident_split : kernel.resident,
                       wave = std::max(std::int64_t{chip.multiprocessors} * resident, std::int64_t{1});
    params.tiles = static_cast<std::int32_t>(
        std::clamp(ceil_div(tiles * heads * out.batch * splits, wave), std::int64_t{1}, tiles));
    what.grid.x = static_cast<std::uint32_t>(ceil_div(tiles, params.tiles) * splits);
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
  if (splits == 1 || !finished) return;

  KernelLaunch finish;
  finish.kernel = kFinish.of({out.type});
  finish.grid = {static_cast<std::uint32_t>(ceil_div(count * out.channels / 4, 256)),
                 static_cast<std::uint32_t>(out.batch), 1};
  finish.block = {256, 1, 1};
  finish.overlaps_previous = true;
  finish.parameters = bytes_of(params);
  queue.launch(finish);
}

}  // namespace maskrt::kernels
