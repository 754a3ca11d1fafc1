#include "attention_cpu.h"

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "kernels/cpu/exponential.h"
#include "kernels/cpu/multiply.h"
#include "kernels/cpu/pixel_rows.h"
#include "kernels/cpu/rows.h"
#include "kernels/cpu/transpose.h"
#include "kernels/cpu/vector.h"

namespace maskrt::kernels {
namespace {

/// Keys whose scores, for three vectors of queries, stay in L1 (24 KiB) between their product, softmax and use.
constexpr std::int64_t kKeyBlock = 128;
/// Keys whose mask logits are looked at together: a few KiB.
constexpr std::int64_t kMaskKeys = 16;

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
  int lanes, vectors;
  HeadChannels keys, values;
  std::int64_t width, depth, key_count;
  float* queries;  ///< [width][vectors * lanes], scaled
  float* scores;   ///< [kKeyBlock][vectors * lanes]
  float* sums;     ///< [depth][vectors * lanes]
  float* most;     ///< [vectors * lanes]: the largest score so far
  float* total;    ///< [vectors * lanes]: the sum of the weights so far
  /// Of masked attention: logits of the image's queries from `first` on. Null where none of them has a mask.
  const Tensor* masks;
  std::int64_t image, first;
  float* logits;       ///< [kMaskKeys][vectors * lanes]; zeros where a query has no mask
  const float* least;  ///< [vectors * lanes]: keys with a smaller logit are left out
  std::int64_t row() const { return std::int64_t{lanes} * vectors; }
};

/// A block of scores becomes weights e^(score - most), where `most` now counts these scores too; what was summed up
/// before is scaled accordingly.
template <int Lanes, int Vectors>
[[gnu::always_inline]] inline void weigh_block(const Tile& t, std::int64_t count, bool first) {
  using V = Vector<Lanes>;
  constexpr std::int64_t row = std::int64_t{Lanes} * Vectors;
  V most[Vectors], total[Vectors];
  for (int v = 0; v < Vectors; ++v) {
    most[v] = first ? V{} - std::numeric_limits<float>::max() : *reinterpret_cast<const V*>(t.most + v * Lanes);
    total[v] = first ? V{} : *reinterpret_cast<const V*>(t.total + v * Lanes);
  }
  for (std::int64_t k = 0; k < count; ++k)
    for (int v = 0; v < Vectors; ++v) {
      const V score = *reinterpret_cast<const V*>(t.scores + k * row + v * Lanes);
      most[v] = score > most[v] ? score : most[v];
    }
  for (int v = 0; v < Vectors && !first; ++v) {
    V factor = *reinterpret_cast<const V*>(t.most + v * Lanes) - most[v];
    exponentiate(factor);
    total[v] *= factor;
    for (std::int64_t c = 0; c < t.depth; ++c) *reinterpret_cast<V*>(t.sums + c * row + v * Lanes) *= factor;
  }
  for (std::int64_t k = 0; k < count; ++k)
    for (int v = 0; v < Vectors; ++v) {
      V& score = *reinterpret_cast<V*>(t.scores + k * row + v * Lanes);
      V weight = score - most[v];
      exponentiate(weight);
      total[v] += weight;
      score = weight;
    }
  for (int v = 0; v < Vectors; ++v) {
    *reinterpret_cast<V*>(t.most + v * Lanes) = most[v];
    *reinterpret_cast<V*>(t.total + v * Lanes) = total[v];
  }
}

template <int Lanes>
[[gnu::always_inline]] inline void weigh_block(const Tile& t, std::int64_t count, bool first) {
  static_assert(kMostVectors == 3);
  if (t.vectors == 3) {
    weigh_block<Lanes, 3>(t, count, first);
  } else if (t.vectors == 2) {
    weigh_block<Lanes, 2>(t, count, first);
  } else {
    weigh_block<Lanes, 1>(t, count, first);
  }
}

MASKRT_CLONES void weigh_block_16(const Tile& t, std::int64_t count, bool first) { weigh_block<16>(t, count, first); }
MASKRT_CLONES void weigh_block_8(const Tile& t, std::int64_t count, bool first) { weigh_block<8>(t, count, first); }

/// to[j][i] = from[i][j] * scale for `rows` x `columns` numbers, both multiples of Lanes. `scales`: a factor for each j
/// as well, or null.
template <int Lanes>
[[gnu::always_inline]] inline void transpose(const float* from, std::int64_t from_row, std::int64_t rows,
                                             std::int64_t columns, float* to, std::int64_t to_row) {
  using V = Vector<Lanes>;
  for (std::int64_t i = 0; i < rows; i += Lanes)
    for (std::int64_t j = 0; j < columns; j += Lanes) {
      V lines[Lanes];
      for (int l = 0; l < Lanes; ++l) lines[l] = *reinterpret_cast<const V*>(from + (i + l) * from_row + j);
      if constexpr (Lanes == 16) {
        transpose16(lines);
      } else {
        transpose8(lines);
      }
      for (int l = 0; l < Lanes; ++l) *reinterpret_cast<V*>(to + (j + l) * to_row + i) = lines[l];
    }
}

MASKRT_CLONES void transpose_16(const float* from, std::int64_t from_row, std::int64_t rows, std::int64_t columns,
                                float* to, std::int64_t to_row) {
  transpose<16>(from, from_row, rows, columns, to, to_row);
}

MASKRT_CLONES void transpose_8(const float* from, std::int64_t from_row, std::int64_t rows, std::int64_t columns,
                               float* to, std::int64_t to_row) {
  transpose<8>(from, from_row, rows, columns, to, to_row);
}

MASKRT_CLONES void scale_row(float factor, std::int64_t n, float* row) {
  for (std::int64_t i = 0; i < n; ++i) row[i] *= factor;
}

/// Divides each of `count` rows of n numbers by the row `total`.
MASKRT_CLONES void divide_rows(float* total, std::int64_t n, std::int64_t count, float* rows) {
  for (std::int64_t i = 0; i < n; ++i) total[i] = 1.0f / total[i];
  for (std::int64_t c = 0; c < count; ++c)
    for (std::int64_t i = 0; i < n; ++i) rows[c * n + i] *= total[i];
}

/// Scores of keys that masks leave out become minus infinity. It weighs e^-87, 10^-38, where exponentiate() ends.
MASKRT_CLONES void leave_out(const float* logits, const float* least, std::int64_t keys, std::int64_t row,
                             float* scores) {
  constexpr float nothing = -std::numeric_limits<float>::infinity();
  for (std::int64_t k = 0; k < keys; ++k)
    for (std::int64_t i = 0; i < row; ++i)
      scores[k * row + i] = logits[k * row + i] < least[i] ? nothing : scores[k * row + i];
}

void leave_out(const Tile& t, std::int64_t begin, std::int64_t count) {
  const std::int64_t row = t.row(), channels = std::min(row, t.masks->channels - t.first);
  for (std::int64_t k = 0; k < count; k += kMaskKeys) {
    const std::int64_t keys = std::min(kMaskKeys, count - k);
    read_pixels(*t.masks, {t.image, begin + k, keys, t.first, channels}, t.logits, row);
    leave_out(t.logits, t.least, keys, row, t.scores + k * row);
  }
}

/// Of `channels` columns: whether any number so far is not below 0. Says whether each column has one.
MASKRT_CLONES bool note_kept(const float* logits, std::int64_t keys, std::int64_t channels, std::int32_t* kept) {
  for (std::int64_t k = 0; k < keys; ++k)
    for (std::int64_t i = 0; i < kMaskKeys; ++i) kept[i] |= logits[k * kMaskKeys + i] < 0 ? 0 : 1;
  std::int32_t all = 1;
  for (std::int64_t i = 0; i < channels; ++i) all &= kept[i];
  return all != 0;
}

/// Below which logit each query leaves keys out, [batch, queries]: 0, or minus infinity for queries that have no mask,
/// or one that would leave out all keys.
void find_least(const Tensor& masks, std::int64_t queries, int threads, float* least) {
  constexpr std::int64_t lanes = 16;
  static_assert(lanes == kMaskKeys);
  const std::int64_t chunks = (masks.channels + lanes - 1) / lanes, keys = masks.height * masks.width;
  std::fill_n(least, masks.batch * queries, -std::numeric_limits<float>::infinity());
#pragma omp parallel for schedule(dynamic) num_threads(threads)
  for (std::int64_t i = 0; i < masks.batch * chunks; ++i) {
    const std::int64_t b = i / chunks, first = i % chunks * lanes, channels = std::min(lanes, masks.channels - first);
    float logits[kMaskKeys * lanes] = {};
    std::int32_t kept[lanes] = {};
    for (std::int64_t k = 0; k < keys; k += kMaskKeys) {
      const std::int64_t count = std::min(kMaskKeys, keys - k);
      read_pixels(masks, {b, k, count, first, channels}, logits, lanes);
      if (note_kept(logits, count, channels, kept)) break;
    }
    for (std::int64_t c = 0; c < channels; ++c)
      if (kept[c] != 0) least[b * queries + first + c] = 0;
  }
}

/// sums = softmax(keys x queries) x values, with queries in the lanes of vectors.
void attend(const Tile& t) {
  static constexpr float zeros[16] = {};
  const VectorRows<const float> nothing{zeros, 0, 0};
  const std::int64_t row = t.row();
  for (std::int64_t begin = 0; begin < t.key_count; begin += kKeyBlock) {
    const std::int64_t count = std::min(kKeyBlock, t.key_count - begin);
    multiply(t.lanes, {.left = {t.keys.data + begin * t.keys.pixel, t.keys.pixel, 1, t.keys.block, t.keys.next_block},
                       .rows = count,
                       .right = t.queries,
                       .right_step = row,
                       .vectors = t.vectors,
                       .depth = t.width,
                       .start = nothing,
                       .sums = {t.scores, row, t.lanes}});
    if (t.masks != nullptr) leave_out(t, begin, count);
    (t.lanes == 16 ? weigh_block_16 : weigh_block_8)(t, count, begin == 0);
    for (std::int64_t c = 0; c < t.depth; c += t.values.block) {
      float* const sums = t.sums + c * row;
      multiply(t.lanes, {.left = {t.values.data + begin * t.values.pixel + c / t.values.block * t.values.next_block, 1,
                                  t.values.pixel},
                         .rows = t.values.block,
                         .right = t.scores,
                         .right_step = row,
                         .vectors = t.vectors,
                         .depth = count,
                         .start = begin == 0 ? nothing : VectorRows<const float>{sums, row, t.lanes},
                         .sums = {sums, row, t.lanes}});
    }
  }
  divide_rows(t.total, row, t.depth, t.sums);
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
                     int threads, std::int64_t mask_channels)
    : heads_(heads),
      threads_(threads),
      lanes_(vector_lanes()),
      width_(queries.channels / heads),
      depth_(values.channels / heads),
      copies_keys_(!lies_apart(keys, width_)),
      copies_values_(!lies_apart(values, depth_)),
      mask_channels_(mask_channels) {
  const std::int64_t vectors = (queries.height * queries.width + lanes_ - 1) / lanes_;
  tiles_ = (vectors + kMostVectors - 1) / kMostVectors;
  // Narrow tiles multiply at half the rate of wide ones; better that than threads without work.
  const std::int64_t tiles_for_all = (threads + out.batch * heads - 1) / (out.batch * heads);
  tiles_ = std::max(tiles_, std::min(vectors, tiles_for_all));
  const auto bytes_of = [](std::int64_t numbers) {
    return static_cast<std::size_t>(whole(numbers, 16)) * sizeof(float);
  };
  const auto copy_of = [&](const Tensor& t) { return bytes_of(t.batch * t.height * t.width * t.channels); };
  if (copies_keys_) copy_bytes_[0] = copy_of(keys);
  if (copies_values_) copy_bytes_[1] = copy_of(values);
  const std::int64_t row = kMostVectors * lanes_;
  // Rows of queries and of results, both transposed, scores, and what is carried along.
  thread_bytes_ = bytes_of(row * (2 * (whole(width_, lanes_) + whole(depth_, lanes_)) + kKeyBlock + 2));
  if (mask_channels_ > 0) {
    least_bytes_ = bytes_of(queries.batch * vectors * lanes_);
    thread_bytes_ += bytes_of(row * kMaskKeys);
  }
  scratch_bytes_ = copy_bytes_[0] + copy_bytes_[1] + least_bytes_ + static_cast<std::size_t>(threads) * thread_bytes_;
}

void Attention::run(const Tensor& queries, const Tensor& key_tensor, const Tensor& value_tensor, const Tensor& out,
                    void* scratch, const Tensor* masks) const {
  auto* memory = static_cast<std::byte*>(scratch);
  const Tensor keys = copies_keys_ ? copied(key_tensor, reinterpret_cast<float*>(memory)) : key_tensor;
  memory += copy_bytes_[0];
  const Tensor values = copies_values_ ? copied(value_tensor, reinterpret_cast<float*>(memory)) : value_tensor;
  memory += copy_bytes_[1];
  const std::int64_t count = queries.height * queries.width, vectors = (count + lanes_ - 1) / lanes_,
                     width = whole(width_, lanes_), depth = whole(depth_, lanes_), row = kMostVectors * lanes_;
  auto* const least = reinterpret_cast<float*>(memory);
  memory += least_bytes_;
  if (masks != nullptr) find_least(*masks, vectors * lanes_, threads_, least);
#pragma omp parallel for schedule(dynamic) num_threads(threads_)
  for (std::int64_t i = 0; i < out.batch * heads_ * tiles_; ++i) {
    const std::int64_t b = i / (heads_ * tiles_), head = i / tiles_ % heads_, tile = i % tiles_;
    const std::int64_t begin = vectors * tile / tiles_, end = vectors * (tile + 1) / tiles_, first = begin * lanes_,
                       pixels = std::min(end * lanes_, count) - first;
    auto* own = reinterpret_cast<float*>(memory + static_cast<std::size_t>(omp_get_thread_num()) * thread_bytes_);
    const auto take = [&](std::int64_t rows) { return std::exchange(own, own + row * rows); };
    Tile t{.lanes = lanes_,
           .vectors = static_cast<int>(end - begin),
           .keys = head_of(keys, b, head * width_, width_),
           .values = head_of(values, b, head * depth_, depth_),
           .width = width_,
           .depth = depth_,
           .key_count = keys.height * keys.width,
           .queries = take(width),
           .scores = take(kKeyBlock),
           .sums = take(depth),
           .most = take(1),
           .total = take(1),
           .masks = masks != nullptr && first < mask_channels_ ? masks : nullptr,
           .image = b,
           .first = first,
           .logits = nullptr,
           .least = least + b * vectors * lanes_ + first};
    if (t.masks != nullptr) {
      t.logits = take(kMaskKeys);
      std::fill_n(t.logits, t.row() * kMaskKeys, 0.0f);
    }
    float* const query_rows = take(width);
    float* const result_rows = take(depth);
    const auto transpose = lanes_ == 16 ? transpose_16 : transpose_8;
    // What follows the last query and the last channel is transposed with the rest.
    std::fill_n(query_rows, t.row() * width, 0.0f);
    std::fill_n(t.sums + t.row() * depth_, t.row() * (depth - depth_), 0.0f);
    read_pixels(queries, {b, first, pixels, head * width_, width_}, query_rows, width);
    scale_row(1 / std::sqrt(static_cast<float>(width_)), t.row() * width, query_rows);
    transpose(query_rows, width, t.row(), width, t.queries, t.row());
    attend(t);
    transpose(t.sums, t.row(), depth, t.row(), result_rows, depth);
    write_pixels(result_rows, depth, {b, first, pixels, head * depth_, depth_}, out);
  }
}

}  // namespace maskrt::kernels
