// The network's input in one pass over bands of rows: resize, normalisation by table, layout.
#include <omp.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "preconditions.h"
#include "preprocess.h"
#include "resize_band.h"

namespace maskrt::kernels {
namespace {

/// Runs use(y, row) for every row of the resized picture, bands over threads.
template <typename Use>
void for_each_resized_row(const SourceRows& source, int width, int height, Use&& use) {
  const BandResizer resizer(source, width, height);
  // Made here and not by each thread: an exception must not leave a parallel region.
  std::vector<BandResizer::Scratch> scratch;
  const int threads = std::min(omp_get_max_threads(), resizer.bands());
  for (int i = 0; i < threads; ++i) scratch.push_back(resizer.make_scratch());
#pragma omp parallel for schedule(static) num_threads(threads)
  for (int band = 0; band < resizer.bands(); ++band) {
    BandResizer::Scratch& mine = scratch[static_cast<std::size_t>(omp_get_thread_num())];
    resizer.begin(band, mine);
    for (int y = band * BandResizer::kBandRows; y < resizer.end_of(band); ++y) use(y, resizer.row(y, mine));
  }
}

/// The normalised value of each byte for each channel of the output, and the byte of a pixel that each channel reads.
template <typename T>
struct NormalisationTable {
  std::array<std::array<T, 256>, 3> values;
  std::array<int, 3> source;
};

template <typename T>
NormalisationTable<T> make_table(PixelOrder order, const Normalisation& normalisation) {
  NormalisationTable<T> table;
  const bool reversed = (order == PixelOrder::rgb) != normalisation.rgb;
  for (int c = 0; c < 3; ++c) {
    table.source[c] = order == PixelOrder::grey ? 0 : reversed ? 2 - c : c;
    for (int v = 0; v < 256; ++v) {
      const float value = (static_cast<float>(v) - normalisation.mean[c]) / normalisation.std[c];
      if constexpr (sizeof(T) == sizeof(float)) {
        table.values[c][v] = value;
      } else {
        table.values[c][v] = bf16_from_float(value);
      }
    }
  }
  return table;
}

template <typename T>
void clear_row(const Tensor& out, std::int64_t b, std::int64_t y, std::int64_t first_x) {
  for (std::int64_t c = 0; c < out.channels; c += out.block) {
    T* line = out.as<T>() + out.index(b, y, 0, c);
    for (std::int64_t x = first_x; x < out.width; ++x) std::fill_n(line + x * out.pixel_stride, out.block, T{});
  }
}

template <typename T>
void write_row(const std::uint8_t* row, int width, int channels, const NormalisationTable<T>& table, const Tensor& out,
               std::int64_t b, std::int64_t y) {
  const bool padded_channels = out.channels % out.block != 0;
  clear_row<T>(out, b, y, padded_channels ? 0 : width);
  const std::int64_t step = out.pixel_stride;
  std::array<T*, 3> to;
  for (int c = 0; c < 3; ++c) to[c] = out.as<T>() + out.index(b, y, 0, c);
  for (int x = 0; x < width; ++x, row += channels) {
    to[0][x * step] = table.values[0][row[table.source[0]]];
    to[1][x * step] = table.values[1][row[table.source[1]]];
    to[2][x * step] = table.values[2][row[table.source[2]]];
  }
}

template <typename T>
void preprocess(const Pixels& image, int width, int height, const Normalisation& normalisation, const Tensor& out,
                std::int64_t b) {
  const int channels = bytes_of_pixel(image.order);
  const auto table = make_table<T>(image.order, normalisation);
  const SourceRows source{image.data, image.width, image.height, channels, image.row_stride};
  for_each_resized_row(source, width, height,
                       [&](int y, const std::uint8_t* row) { write_row(row, width, channels, table, out, b, y); });
#pragma omp parallel for schedule(static)
  for (std::int64_t y = height; y < out.height; ++y) clear_row<T>(out, b, y, 0);
}

}  // namespace

void resize_pillow_cpu(const std::uint8_t* in, int in_width, int in_height, int channels, std::uint8_t* out, int width,
                       int height) {
  const std::size_t row_size = static_cast<std::size_t>(width) * channels;
  const SourceRows source{in, in_width, in_height, channels, static_cast<std::ptrdiff_t>(in_width) * channels};
  for_each_resized_row(source, width, height,
                       [&](int y, const std::uint8_t* row) { std::memcpy(out + y * row_size, row, row_size); });
}

void preprocess_cpu(const Pixels& image, int width, int height, const Normalisation& normalisation, const Tensor& out,
                    std::int64_t b) {
  check_preprocess(image, width, height, out);
  if (out.type == DataType::bf16) {
    preprocess<std::uint16_t>(image, width, height, normalisation, out, b);
  } else {
    preprocess<float>(image, width, height, normalisation, out, b);
  }
}

}  // namespace maskrt::kernels
