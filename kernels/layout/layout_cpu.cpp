#include <algorithm>
#include <cstring>

#include "kernels/cpu/lines.h"
#include "layout.h"

namespace maskrt::kernels {

void copy_channels_cpu(const Tensor& in, std::int64_t in_begin, const Tensor& out, std::int64_t out_begin,
                       std::int64_t count) {
  const std::int64_t rows = out.batch * out.height;
  // Runs of channels that are contiguous on both sides: one block's, or all in layouts with channels innermost.
#pragma omp parallel for schedule(static)
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::int64_t b = row / out.height, y = row % out.height;
    for (std::int64_t c = 0; c < count;) {
      const std::int64_t from = in_begin + c, to = out_begin + c;
      const std::int64_t run = std::min({count - c, in.block - from % in.block, out.block - to % out.block});
      if (in.type == DataType::f32 && out.type == DataType::f32) {
        const float* source = in.as<float>() + in.index(b, y, 0, from);
        float* target = out.as<float>() + out.index(b, y, 0, to);
        for (std::int64_t x = 0; x < out.width; ++x)
          std::copy_n(source + x * in.pixel_stride, run, target + x * out.pixel_stride);
      } else {
        for (std::int64_t x = 0; x < out.width; ++x)
          for (std::int64_t i = 0; i < run; ++i) set(out, b, y, x, to + i, get(in, b, y, x, from + i));
      }
      c += run;
    }
  }
}

void copy_rows_cpu(const Tensor& in, std::int64_t in_begin, const Tensor& out, std::int64_t out_begin,
                   std::int64_t count) {
  // The rows of an image follow one another: one copy, of some hundred rows at most.
  for (std::int64_t b = 0; b < out.batch; ++b)
    std::memcpy(out.as<float>() + out.index(b, out_begin, 0, 0), in.as<float>() + in.index(b, in_begin, 0, 0),
                static_cast<std::size_t>(count * out.channels) * sizeof(float));
}

}  // namespace maskrt::kernels
