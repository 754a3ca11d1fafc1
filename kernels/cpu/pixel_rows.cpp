#include "pixel_rows.h"

#include <algorithm>
#include <cstring>

#include "kernels/element.h"
#include "rows.h"

namespace maskrt::kernels {
namespace {

/// Calls f(c, run, from) for the runs of channels that lie side by side: `run` of them from channel begin + c on, the
/// first pixel's at element `from`.
template <typename F>
void for_each_run(const Tensor& t, const PixelRange& range, const F& f) {
  for (std::int64_t c = 0; c < range.channels;) {
    const std::int64_t channel = range.begin + c;
    const std::int64_t run = std::min(range.channels - c, t.block - channel % t.block);
    f(c, run, t.index(range.b, 0, 0, channel) + range.first * t.pixel_stride);
    c += run;
  }
}

/// Rows of `run` numbers from one place to another; the common runs are known to the compiler.
MASKRT_CLONES void copy_rows(const float* from, std::int64_t from_row, float* to, std::int64_t to_row,
                             std::int64_t rows, std::int64_t run) {
  if (run == 16) {
    for (std::int64_t p = 0; p < rows; ++p) std::memcpy(to + p * to_row, from + p * from_row, 16 * sizeof(float));
  } else if (run == 8) {
    for (std::int64_t p = 0; p < rows; ++p) std::memcpy(to + p * to_row, from + p * from_row, 8 * sizeof(float));
  } else {
    for (std::int64_t p = 0; p < rows; ++p)
      std::memcpy(to + p * to_row, from + p * from_row, static_cast<std::size_t>(run) * sizeof(float));
  }
}

MASKRT_CLONES void widen_rows(const std::uint16_t* from, std::int64_t from_row, float* to, std::int64_t to_row,
                              std::int64_t rows, std::int64_t run) {
  for (std::int64_t p = 0; p < rows; ++p)
    for (std::int64_t i = 0; i < run; ++i) to[p * to_row + i] = float_from_bf16(from[p * from_row + i]);
}

MASKRT_CLONES void narrow_rows(const float* from, std::int64_t from_row, std::uint16_t* to, std::int64_t to_row,
                               std::int64_t rows, std::int64_t run) {
  for (std::int64_t p = 0; p < rows; ++p)
    for (std::int64_t i = 0; i < run; ++i) to[p * to_row + i] = bf16_from_float(from[p * from_row + i]);
}

}  // namespace

void read_pixels(const Tensor& t, const PixelRange& range, float* rows, std::int64_t row) {
  for_each_run(t, range, [&](std::int64_t c, std::int64_t run, std::int64_t from) {
    if (t.type == DataType::f32) {
      copy_rows(t.as<float>() + from, t.pixel_stride, rows + c, row, range.pixels, run);
    } else if (t.type == DataType::bf16) {
      widen_rows(t.as<std::uint16_t>() + from, t.pixel_stride, rows + c, row, range.pixels, run);
    } else {
      for (std::int64_t p = 0; p < range.pixels; ++p)
        for (std::int64_t i = 0; i < run; ++i)
          rows[p * row + c + i] = get(t, range.b, 0, range.first + p, range.begin + c + i);
    }
  });
}

void write_pixels(const float* rows, std::int64_t row, const PixelRange& range, const Tensor& t) {
  for_each_run(t, range, [&](std::int64_t c, std::int64_t run, std::int64_t to) {
    if (t.type == DataType::f32) {
      copy_rows(rows + c, row, t.as<float>() + to, t.pixel_stride, range.pixels, run);
    } else if (t.type == DataType::bf16) {
      narrow_rows(rows + c, row, t.as<std::uint16_t>() + to, t.pixel_stride, range.pixels, run);
    } else {
      for (std::int64_t p = 0; p < range.pixels; ++p)
        for (std::int64_t i = 0; i < run; ++i)
          set(t, range.b, 0, range.first + p, range.begin + c + i, rows[p * row + c + i]);
    }
  });
}

}  // namespace maskrt::kernels
