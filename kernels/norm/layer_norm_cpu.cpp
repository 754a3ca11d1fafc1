#include <omp.h>

#include <algorithm>
#include <cmath>

#include "kernels/cpu/activate_row.h"
#include "kernels/cpu/pixel_rows.h"
#include "kernels/cpu/rows.h"
#include "kernels/cpu/vector.h"
#include "layer_norm.h"

namespace maskrt::kernels {
namespace {

constexpr int kLanes = 16;
/// A tile stays in L1 (16 KiB) from one pass over it to the next. With more pixels the blocks of channels, which come
/// one after the other, are each read in runs that start the processor's prefetching anew.
constexpr std::int64_t kTileNumbers = 4096, kTilePixels = 16;

std::int64_t row_of(std::int64_t channels) { return (channels + kLanes - 1) / kLanes * kLanes; }

std::int64_t tile_pixels(std::int64_t channels) {
  return std::clamp<std::int64_t>(kTileNumbers / row_of(channels), 1, kTilePixels);
}

using Floats = Vector<kLanes>;

/// By halves: one lane after the other would take four times as long as all the rest of a short row.
[[gnu::always_inline]] inline float sum_of(const Floats& lanes) {
  const Vector<8> eight = __builtin_shufflevector(lanes, lanes, 0, 1, 2, 3, 4, 5, 6, 7) +
                          __builtin_shufflevector(lanes, lanes, 8, 9, 10, 11, 12, 13, 14, 15);
  const Vector<4> four =
      __builtin_shufflevector(eight, eight, 0, 1, 2, 3) + __builtin_shufflevector(eight, eight, 4, 5, 6, 7);
  return (four[0] + four[1]) + (four[2] + four[3]);
}

/// Normalises rows of n numbers in place.
MASKRT_CLONES void normalise_rows(float* rows, std::int64_t row, std::int64_t count, std::int64_t n, float epsilon,
                                  const float* weight, const float* bias) {
  const std::int64_t whole = n / kLanes * kLanes;
  const float share = 1.0f / static_cast<float>(n);
  for (float* x = rows; x != rows + count * row; x += row) {
    Floats sums{};
    for (std::int64_t i = 0; i < whole; i += kLanes) sums += *reinterpret_cast<const Floats*>(x + i);
    float sum = sum_of(sums);
    for (std::int64_t i = whole; i < n; ++i) sum += x[i];
    const float mean = sum * share;
    Floats squares{};
    for (std::int64_t i = 0; i < whole; i += kLanes) {
      const Floats distance = *reinterpret_cast<const Floats*>(x + i) - mean;
      squares += distance * distance;
    }
    float square = sum_of(squares);
    for (std::int64_t i = whole; i < n; ++i) square += (x[i] - mean) * (x[i] - mean);
    const float scale = 1.0f / std::sqrt(square * share + epsilon);
    for (std::int64_t i = 0; i < n; ++i) x[i] = (x[i] - mean) * scale * weight[i] + bias[i];
  }
}

}  // namespace

std::size_t layer_norm_scratch_bytes(const Tensor& in, int threads) {
  const std::int64_t each = tile_pixels(in.channels) * row_of(in.channels);
  return static_cast<std::size_t>(threads * each) * sizeof(float);
}

void layer_norm_cpu(const Tensor& in, const float* weight, const float* bias, double epsilon, Activation activation,
                    const Tensor& out, float slope, int threads, void* scratch) {
  const std::int64_t pixels = in.height * in.width, tile = std::min(pixels, tile_pixels(in.channels)),
                     tiles = (pixels + tile - 1) / tile, row = row_of(in.channels);
#pragma omp parallel for schedule(static) num_threads(threads)
  for (std::int64_t i = 0; i < in.batch * tiles; ++i) {
    float* const rows = static_cast<float*>(scratch) + omp_get_thread_num() * tile_pixels(in.channels) * row;
    const std::int64_t first = i % tiles * tile, count = std::min(tile, pixels - first);
    const PixelRange range{i / tiles, first, count, 0, in.channels};
    read_pixels(in, range, rows, row);
    normalise_rows(rows, row, count, in.channels, static_cast<float>(epsilon), weight, bias);
    if (activation != Activation::none)
      for (std::int64_t p = 0; p < count; ++p)
        activate_row(activation, slope, rows + p * row, in.channels, rows + p * row);
    write_pixels(rows, row, range, out);
  }
}

}  // namespace maskrt::kernels
