// Parameters of the kernels of attention.cu and attention_mma.cu. Read by host and device code.
#pragma once

#include "kernels/cuda/map.h"

namespace maskrt::kernels::cuda {

/// A block's tile of attention_any.
struct AttentionTile {
  static constexpr int kQueries = 64, kKeys = 64;
  static constexpr int kChannels = 64;  ///< of the values
};

/// The tiles of a kernel of attention_mma.cu for heads of at most `width` channels, each 16 warps' rows of queries.
template <int width>
struct AttentionMmaTile {
  static_assert(width == 32 || width == 64 || width == 128);
  static constexpr int kThreads = 128;
  static constexpr int kRowTiles = width == 128 ? 1 : 2;  ///< mma tiles of 16 queries of each warp
  static constexpr int kQueries = kThreads / 32 * 16 * kRowTiles;
  static constexpr int kKeys = 64;                                          ///< of one pipeline stage
  static constexpr int kStageBytes = 2 * kKeys * width * 2;                 ///< keys and values in fp16
  static constexpr int kResident = width == 128 ? 2 : width == 64 ? 3 : 4;  ///< blocks a multiprocessor, for registers
  static constexpr int kResidentSplit = width == 32 ? 3 : 2;                ///< of those for masks and splits
};

/// Attention as two products for each head: scores [queries, keys] and, with their softmax, results [queries, channels
/// of values].
struct AttentionParams {
  Map queries, keys, values, out;
  std::int32_t key_width, value_width;  ///< channels of a head
  std::int32_t key_count;               ///< pixels or rows of `keys`
  float scale;                          ///< of the scores in exponents of 2: log2(e) / sqrt(key_width)
  std::int32_t value_chunks;            ///< attention_any: blocks that share the channels of one head's values
  // Of attention_mma.cu:
  std::int32_t queries_f32, keys_f32;  ///< 1: the queries and the output, the keys and the values are fp32; 0: fp16
  std::int32_t key_tiles;              ///< of AttentionMmaTile::kKeys
  std::int32_t stages;                 ///< pipeline stages of keys and values in shared memory
  std::int32_t tiles;                  ///< tiles of queries that a block loops over
  /// 0. Fragments of queries are combined with it, so that the compiler moves the registers of a 16-byte load to where
  /// mma expects them once, and not before each product.
  std::uint32_t zero;
  /// Under masks, else null: words of 32 keys each, of which those with a 1 are left out, [B, mask_words, mask_stride],
  /// a query's words being mask_stride apart; and by chunks of kMaskChunk keys whether any is not, 0 or 1, [B,
  /// mask_chunks, mask_stride].
  const std::uint32_t* left_out;
  const std::uint32_t* open;
  std::int32_t masked_queries, mask_words, mask_chunks, mask_stride;
  // Of the kernels for few queries on many keys, which masks have, too:
  std::int32_t splits;  ///< blocks that share the keys of a tile of queries
  float* partials;  ///< [B, heads, splits, queries, value_width], then [B, splits, queries, heads, 2] largest and sum
};

constexpr int kMaskChunk = 256;

/// Masks to words: MaskBitsParams::masks are logits [B, h, w, M].
struct MaskBitsParams {
  Map masks;
  std::uint32_t* left_out;  ///< as in AttentionParams
  std::uint32_t* open;
  std::int32_t words, chunks, stride;
};

}  // namespace maskrt::kernels::cuda
