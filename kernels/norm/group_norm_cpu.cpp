#include <omp.h>

#include <algorithm>
#include <cmath>

#include "group_norm.h"
#include "kernels/cpu/activate_row.h"
#include "kernels/cpu/pixel_rows.h"
#include "kernels/cpu/rows.h"
#include "kernels/cpu/vector.h"

namespace maskrt::kernels {
namespace {

constexpr int kLanes = 16;
using Floats = Vector<kLanes>;

std::int64_t whole(std::int64_t n, std::int64_t unit) { return (n + unit - 1) / unit * unit; }

/// How an image is cut: `pixels` x `channels` at a time, at most 4096 numbers, which stay in L1 (16 KiB) between passes
/// over them. Blocks of channels come one after the other in memory, so a tile has few of them and many pixels; where
/// channels are innermost it is the other way round.
struct Tiling {
  std::int64_t channels, row;      ///< of a tile; of a row of numbers, whole vectors
  std::int64_t chunks;             ///< tiles beside one another that have all channels
  std::int64_t pixels, per_image;  ///< of a tile; tiles one below the other that have all pixels
  explicit Tiling(const Tensor& t) {
    const bool innermost = t.block == t.channels;
    channels = innermost ? std::min<std::int64_t>(t.channels, 256) : kLanes;
    row = whole(channels, kLanes);
    chunks = (t.channels + channels - 1) / channels;
    const std::int64_t all = t.height * t.width;
    pixels = std::min<std::int64_t>(all, 4096 / row);
    per_image = (all + pixels - 1) / pixels;
  }
  std::int64_t count(const Tensor& t) const { return t.batch * chunks * per_image; }
};

/// A tile's place in the tensor.
struct Place {
  PixelRange range;
  std::int64_t tile;  ///< of the image, counted by pixels
  Place(const Tensor& t, const Tiling& tiling, std::int64_t i) : tile(i % tiling.per_image) {
    const std::int64_t first = tile * tiling.pixels, begin = i / tiling.per_image % tiling.chunks * tiling.channels;
    range = {i / (tiling.per_image * tiling.chunks), first, std::min(tiling.pixels, t.height * t.width - first), begin,
             std::min(tiling.channels, t.channels - begin)};
  }
};

/// What scratch memory holds: for each tile its channels' means and squares about them, for each image the mean and the
/// factor of each channel, and each thread's rows of numbers.
struct Layout {
  std::int64_t of_tiles, of_images, of_thread;  ///< numbers
  Layout(const Tensor& t, const Tiling& tiling)
      : of_tiles(tiling.count(t) * tiling.row),
        of_images(t.batch * tiling.chunks * tiling.row),
        of_thread(tiling.pixels * tiling.row) {}
};

/// means[c] and squares[c], the sum of square distances from it, of each column of `rows`.
MASKRT_CLONES void measure_columns(const float* rows, std::int64_t row, std::int64_t count, float* means,
                                   float* squares) {
  const float share = 1.0f / static_cast<float>(count);
  for (std::int64_t c = 0; c < row; c += kLanes) {
    Floats sum{};
    for (std::int64_t p = 0; p < count; ++p) sum += *reinterpret_cast<const Floats*>(rows + p * row + c);
    const Floats mean = sum * share;
    Floats square{};
    for (std::int64_t p = 0; p < count; ++p) {
      const Floats distance = *reinterpret_cast<const Floats*>(rows + p * row + c) - mean;
      square += distance * distance;
    }
    *reinterpret_cast<Floats*>(means + c) = mean;
    *reinterpret_cast<Floats*>(squares + c) = square;
  }
}

/// x = (x - mean[c]) * factor[c] + bias[c] for each column of `rows`.
MASKRT_CLONES void normalise_columns(float* rows, std::int64_t row, std::int64_t count, const float* means,
                                     const float* factors, const float* biases) {
  for (std::int64_t c = 0; c < row; c += kLanes) {
    const Floats mean = *reinterpret_cast<const Floats*>(means + c),
                 factor = *reinterpret_cast<const Floats*>(factors + c),
                 bias = *reinterpret_cast<const Floats*>(biases + c);
    for (std::int64_t p = 0; p < count; ++p) {
      Floats& x = *reinterpret_cast<Floats*>(rows + p * row + c);
      x = (x - mean) * factor + bias;
    }
  }
}

/// What follows the last channel is computed with the rest: it must be a number that costs nothing.
void clear_tails(float* rows, std::int64_t row, std::int64_t count, std::int64_t channels) {
  if (channels == row) return;
  for (std::int64_t p = 0; p < count; ++p) std::fill_n(rows + p * row + channels, row - channels, 0.0f);
}

}  // namespace

std::size_t group_norm_scratch_bytes(const Tensor& in, int threads) {
  const Tiling tiling(in);
  const Layout layout(in, tiling);
  return static_cast<std::size_t>(2 * layout.of_tiles + 3 * layout.of_images + threads * layout.of_thread) *
         sizeof(float);
}

void group_norm_cpu(const Tensor& in, const float* weight, const float* bias, int groups, double epsilon,
                    Activation activation, const Tensor& out, float slope, int threads, void* scratch) {
  const Tiling tiling(in);
  const Layout layout(in, tiling);
  float* const tile_means = static_cast<float*>(scratch);
  float* const tile_squares = tile_means + layout.of_tiles;
  float* const means = tile_squares + layout.of_tiles;
  float* const factors = means + layout.of_images;
  float* const biases = factors + layout.of_images;
  float* const all_rows = biases + layout.of_images;
  const std::int64_t row = tiling.row, tiles = tiling.count(in), channels = in.channels / groups;
  // Number c of an image, and of one of its tiles: chunks have rows of their own, `per_image` of them for tiles.
  const auto of_image = [&](std::int64_t b, std::int64_t c) {
    return (b * tiling.chunks + c / tiling.channels) * row + c % tiling.channels;
  };

#pragma omp parallel for schedule(static) num_threads(threads)
  for (std::int64_t i = 0; i < tiles; ++i) {
    float* const rows = all_rows + omp_get_thread_num() * layout.of_thread;
    const Place place(in, tiling, i);
    read_pixels(in, place.range, rows, row);
    clear_tails(rows, row, place.range.pixels, place.range.channels);
    measure_columns(rows, row, place.range.pixels, tile_means + i * row, tile_squares + i * row);
  }

  const std::int64_t pixels = in.height * in.width;
#pragma omp parallel for schedule(static) num_threads(threads)
  for (std::int64_t i = 0; i < in.batch * groups; ++i) {
    const std::int64_t b = i / groups, first = i % groups * channels;
    // Calls f(pixels, mean, squares) for the group's channels in each tile.
    const auto for_each_part = [&](const auto& f) {
      for (std::int64_t c = first; c < first + channels; ++c) {
        const std::int64_t chunk = b * tiling.chunks + c / tiling.channels;
        for (std::int64_t tile = 0; tile < tiling.per_image; ++tile) {
          const std::int64_t at = (chunk * tiling.per_image + tile) * row + c % tiling.channels;
          f(static_cast<double>(std::min(tiling.pixels, pixels - tile * tiling.pixels)),
            static_cast<double>(tile_means[at]), static_cast<double>(tile_squares[at]));
        }
      }
    };
    const double count = static_cast<double>(pixels * channels);
    double sum = 0, squares = 0;
    for_each_part([&](double n, double part, double) { sum += n * part; });
    const double mean = sum / count;
    for_each_part([&](double n, double part, double around) { squares += around + n * (part - mean) * (part - mean); });
    const double scale = 1 / std::sqrt(squares / count + epsilon);
    for (std::int64_t c = first; c < first + channels; ++c) {
      means[of_image(b, c)] = static_cast<float>(mean);
      factors[of_image(b, c)] = static_cast<float>(scale * static_cast<double>(weight[c]));
      biases[of_image(b, c)] = bias[c];
    }
  }

#pragma omp parallel for schedule(static) num_threads(threads)
  for (std::int64_t i = 0; i < tiles; ++i) {
    float* const rows = all_rows + omp_get_thread_num() * layout.of_thread;
    const Place place(in, tiling, i);
    const std::int64_t at = of_image(place.range.b, place.range.begin);
    read_pixels(in, place.range, rows, row);
    normalise_columns(rows, row, place.range.pixels, means + at, factors + at, biases + at);
    if (activation != Activation::none) activate_row(activation, slope, rows, place.range.pixels * row, rows);
    write_pixels(rows, row, place.range, out);
  }
}

}  // namespace maskrt::kernels
