#include "attention_cpu.h"

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "kernels/cpu/exponential.h"
#include "kernels/cpu/multiply_tile.h"
#include "kernels/cpu/pixel_rows.h"
#include "kernels/cpu/rows.h"
#include "kernels/cpu/transpose.h"

namespace maskrt::kernels {
namespace {

/// Keys whose scores, for three vectors of queries, stay in L1 (24 KiB) between their product, softmax and use.
constexpr std::int64_t kKeyBlock = 128;

std::int64_t whole(std::int64_t n, std::int64_t unit) { return (n + unit - 1) / unit * unit; }

/// Channels of a head whose numbers are read where they lie: pixel p's channel c at
/// data + p * pixel + c / block * next_block + c % block.
struct HeadChannels {
  const float* data;
  std::int64_t pixel, block, next_block;
};

/// Whether heads of `width` channels of this tensor can be read so.
bool lies_apart(const Tensor& t, std::int64_t width) {
  return t.type == DataType::f32 && (t.block == t.channels || width % t.block == 0);
}

HeadChannels head_of(const Tensor& t, std::int64_t b, std::int64_t first, std::int64_t width) {
  const std::int64_t block = t.block < width ? t.block : width;
  return {t.as<float>() + t.index(b, 0, 0, first), t.pixel_stride, block, t.block_stride};
}

/// One head's keys and values and a tile of its queries, in a thread's memory.
struct Tile {
  HeadChannels keys, values;
  std::int64_t width, depth, key_count;
  float* queries;  ///< [width][vectors * Lanes], scaled
  float* scores;   ///< [kKeyBlock][vectors * Lanes]
  float* sums;     ///< [depth][vectors * Lanes]
};

/// sums = softmax(keys x queries) x values, `Vectors` vectors of queries in lanes.
template <int Lanes, int Vectors>
[[gnu::always_inline]] inline void attend(const Tile& t) {
  using V = Vector<Lanes>;
  constexpr std::int64_t row = std::int64_t{Lanes} * Vectors;
  constexpr float lowest = -std::numeric_limits<float>::max();
  static constexpr float zeros[Lanes] = {};
  const TileSums<const float> nothing{zeros, 0, 0};
  V most[Vectors], total[Vectors];
  for (int v = 0; v < Vectors; ++v) most[v] = V{} + lowest, total[v] = V{};
  for (std::int64_t begin = 0; begin < t.key_count; begin += kKeyBlock) {
    const std::int64_t count = t.key_count - begin < kKeyBlock ? t.key_count - begin : kKeyBlock;
    multiply_rows<Lanes, Vectors>(
        {t.keys.data + begin * t.keys.pixel, t.keys.pixel, 1, t.keys.block, t.keys.next_block}, count, t.queries, row,
        t.width, nothing, {t.scores, row, Lanes});
    V higher[Vectors];
    for (int v = 0; v < Vectors; ++v) higher[v] = most[v];
    for (std::int64_t k = 0; k < count; ++k)
      for (int v = 0; v < Vectors; ++v) {
        const V score = *reinterpret_cast<const V*>(t.scores + k * row + v * Lanes);
        higher[v] = score > higher[v] ? score : higher[v];
      }
    if (begin != 0) {
      // What was summed up so far had the smaller maximum taken from its exponents.
      for (int v = 0; v < Vectors; ++v) {
        V factor = most[v] - higher[v];
        exponentiate(factor);
        total[v] *= factor;
        for (std::int64_t c = 0; c < t.depth; ++c) *reinterpret_cast<V*>(t.sums + c * row + v * Lanes) *= factor;
      }
    }
    for (int v = 0; v < Vectors; ++v) most[v] = higher[v];
    for (std::int64_t k = 0; k < count; ++k)
      for (int v = 0; v < Vectors; ++v) {
        V& score = *reinterpret_cast<V*>(t.scores + k * row + v * Lanes);
        V share = score - most[v];
        exponentiate(share);
        total[v] += share;
        score = share;
      }
    for (std::int64_t c = 0; c < t.depth; c += t.values.block) {
      const float* values = t.values.data + begin * t.values.pixel + c / t.values.block * t.values.next_block;
      const TileSums<float> sums{t.sums + c * row, row, Lanes};
      multiply_rows<Lanes, Vectors>({values, 1, t.values.pixel}, t.values.block, t.scores, row, count,
                                    begin == 0 ? nothing : TileSums<const float>{sums.data, row, Lanes}, sums);
    }
  }
  for (int v = 0; v < Vectors; ++v) {
    const V share = 1.0f / total[v];
    for (std::int64_t c = 0; c < t.depth; ++c) *reinterpret_cast<V*>(t.sums + c * row + v * Lanes) *= share;
  }
}

/// to[j][i] = from[i][j] * scale for `rows` x `columns` numbers, both multiples of Lanes.
template <int Lanes>
[[gnu::always_inline]] inline void transpose(const float* from, std::int64_t from_row, std::int64_t rows,
                                             std::int64_t columns, float scale, float* to, std::int64_t to_row) {
  using V = Vector<Lanes>;
  for (std::int64_t i = 0; i < rows; i += Lanes)
    for (std::int64_t j = 0; j < columns; j += Lanes) {
      V lines[Lanes];
      for (int l = 0; l < Lanes; ++l) lines[l] = *reinterpret_cast<const V*>(from + (i + l) * from_row + j) * scale;
      if constexpr (Lanes == 16) {
        transpose16(lines);
      } else {
        transpose8(lines);
      }
      for (int l = 0; l < Lanes; ++l) *reinterpret_cast<V*>(to + (j + l) * to_row + i) = lines[l];
    }
}

/// From rows of queries to rows of results, each [vectors * Lanes][channels rounded up to Lanes].
template <int Lanes>
[[gnu::always_inline]] inline void attend_rows(const Tile& t, int vectors, const float* queries, float* results) {
  const std::int64_t row = std::int64_t{Lanes} * vectors, width = (t.width + Lanes - 1) / Lanes * Lanes,
                     depth = (t.depth + Lanes - 1) / Lanes * Lanes;
  transpose<Lanes>(queries, width, row, width, 1.0f / __builtin_sqrtf(static_cast<float>(t.width)), t.queries, row);
  if (vectors == 3) {
    attend<Lanes, 3>(t);
  } else if (vectors == 2) {
    attend<Lanes, 2>(t);
  } else {
    attend<Lanes, 1>(t);
  }
  transpose<Lanes>(t.sums, row, depth, row, 1.0f, results, depth);
}

MASKRT_CLONES void attend_rows_16(const Tile& t, int vectors, const float* queries, float* results) {
  attend_rows<16>(t, vectors, queries, results);
}

MASKRT_CLONES void attend_rows_8(const Tile& t, int vectors, const float* queries, float* results) {
  attend_rows<8>(t, vectors, queries, results);
}

int vector_lanes() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")) return 16;
#endif
  return 8;
}

/// A tensor in fp32 with channels innermost, in `memory`.
Tensor copied(const Tensor& t, float* memory) {
  const Tensor copy = dense(memory, DataType::f32, t.batch, t.height, t.width, t.channels, 0);
  constexpr std::int64_t tile = 16;
  const std::int64_t pixels = t.height * t.width, tiles = (pixels + tile - 1) / tile;
#pragma omp parallel for schedule(static)
  for (std::int64_t i = 0; i < t.batch * tiles; ++i) {
    const std::int64_t b = i / tiles, first = i % tiles * tile;
    read_pixels(t, {b, first, std::min(tile, pixels - first), 0, t.channels},
                copy.as<float>() + copy.index(b, 0, first, 0), t.channels);
  }
  return copy;
}

}  // namespace

Attention::Attention(const Tensor& queries, const Tensor& keys, const Tensor& values, int heads, const Tensor& out,
                     int threads)
    : heads_(heads),
      threads_(threads),
      lanes_(vector_lanes()),
      width_(queries.channels / heads),
      depth_(values.channels / heads),
      copies_keys_(!lies_apart(keys, width_)),
      copies_values_(!lies_apart(values, depth_)) {
  const std::int64_t vectors = (queries.height * queries.width + lanes_ - 1) / lanes_;
  tiles_ = (vectors + kTileVectors - 1) / kTileVectors;
  // Narrow tiles multiply at half the rate of wide ones; better that than threads without work.
  const std::int64_t tiles_for_all = (threads + out.batch * heads - 1) / (out.batch * heads);
  tiles_ = std::max(tiles_, std::min(vectors, tiles_for_all));
  const auto bytes_of = [](std::int64_t numbers) {
    return static_cast<std::size_t>(whole(numbers, 16)) * sizeof(float);
  };
  const auto copy_of = [&](const Tensor& t) { return bytes_of(t.batch * t.height * t.width * t.channels); };
  if (copies_keys_) copy_bytes_[0] = copy_of(keys);
  if (copies_values_) copy_bytes_[1] = copy_of(values);
  const std::int64_t row = kTileVectors * lanes_;
  // Rows of queries and of results, both transposed, and scores.
  thread_bytes_ = bytes_of(row * (2 * (whole(width_, lanes_) + whole(depth_, lanes_)) + kKeyBlock));
  scratch_bytes_ = copy_bytes_[0] + copy_bytes_[1] + static_cast<std::size_t>(threads) * thread_bytes_;
}

void Attention::run(const Tensor& queries, const Tensor& key_tensor, const Tensor& value_tensor, const Tensor& out,
                    void* scratch) const {
  auto* memory = static_cast<std::byte*>(scratch);
  const Tensor keys = copies_keys_ ? copied(key_tensor, reinterpret_cast<float*>(memory)) : key_tensor;
  memory += copy_bytes_[0];
  const Tensor values = copies_values_ ? copied(value_tensor, reinterpret_cast<float*>(memory)) : value_tensor;
  memory += copy_bytes_[1];
  const std::int64_t count = queries.height * queries.width, vectors = (count + lanes_ - 1) / lanes_,
                     width = whole(width_, lanes_), depth = whole(depth_, lanes_), row = kTileVectors * lanes_;
#pragma omp parallel for schedule(dynamic) num_threads(threads_)
  for (std::int64_t i = 0; i < out.batch * heads_ * tiles_; ++i) {
    const std::int64_t b = i / (heads_ * tiles_), head = i / tiles_ % heads_, tile = i % tiles_;
    const std::int64_t begin = vectors * tile / tiles_, end = vectors * (tile + 1) / tiles_, first = begin * lanes_,
                       pixels = std::min(end * lanes_, count) - first;
    auto* own = reinterpret_cast<float*>(memory + static_cast<std::size_t>(omp_get_thread_num()) * thread_bytes_);
    float* const query_rows = own;
    float* const result_rows = query_rows + row * width;
    Tile t{head_of(keys, b, head * width_, width_),
           head_of(values, b, head * depth_, depth_),
           width_,
           depth_,
           keys.height * keys.width,
           result_rows + row * depth,
           nullptr,
           nullptr};
    t.sums = t.queries + row * width;
    t.scores = t.sums + row * depth;
    // What follows the last query and the last channel is transposed with the rest.
    std::fill_n(query_rows, (end - begin) * lanes_ * width, 0.0f);
    std::fill_n(t.sums + (end - begin) * lanes_ * depth_, (end - begin) * lanes_ * (depth - depth_), 0.0f);
    read_pixels(queries, {b, first, pixels, head * width_, width_}, query_rows, width);
    (lanes_ == 16 ? attend_rows_16 : attend_rows_8)(t, static_cast<int>(end - begin), query_rows, result_rows);
    write_pixels(result_rows, depth, {b, first, pixels, head * depth_, depth_}, out);
  }
}

}  // namespace maskrt::kernels
