#include <vector>

#include "elementwise.h"
#include "kernels/cpu/activate_row.h"
#include "kernels/cpu/lines.h"
#include "kernels/cpu/pixel_rows.h"
#include "kernels/cpu/rows.h"

namespace maskrt::kernels {
namespace {

MASKRT_CLONES void add_row(const float* a, const float* b, std::int64_t n, float* out) {
  for (std::int64_t i = 0; i < n; ++i) out[i] = a[i] + b[i];
}

/// Between any types and layouts, by way of a row of pixels in fp32.
void activate_pixels(Activation activation, float slope, const Tensor& in, const Tensor& out) {
  ParallelFailure failure;
#pragma omp parallel for collapse(2) schedule(static)
  for (std::int64_t b = 0; b < out.batch; ++b)
    for (std::int64_t y = 0; y < out.height; ++y)
      failure.guard([&] {
        const PixelRange row{b, y * out.width, out.width, 0, out.channels};
        std::vector<float> numbers(static_cast<std::size_t>(row.pixels * row.channels));
        read_pixels(in, row, numbers.data(), row.channels);
        activate_row(activation, slope, numbers.data(), row.pixels * row.channels, numbers.data());
        write_pixels(numbers.data(), row.channels, row, out);
      });
  failure.rethrow();
}

}  // namespace

void activate_cpu(Activation activation, const Tensor& in, const Tensor& out, float slope) {
  if (!same_lines(in, out)) {
    activate_pixels(activation, slope, in, out);
    return;
  }
  for_each_line(out, [&](auto b, auto k, auto y) {
    activate_block(activation, slope, line<float>(in, b, k, y), out.width, out.block, out.channels - k * out.block,
                   line<float>(out, b, k, y));
  });
}

void add_cpu(const Tensor& a, const Tensor& b, const Tensor& out) {
  if (!same_lines(a, out) || !same_lines(b, out)) {
    for_each_element_parallel(
        out, [&](auto n, auto y, auto x, auto c) { set(out, n, y, x, c, get(a, n, y, x, c) + get(b, n, y, x, c)); });
    return;
  }
  const std::int64_t length = out.width * out.block;
  for_each_line(out, [&](auto n, auto k, auto y) {
    add_row(line<float>(a, n, k, y), line<float>(b, n, k, y), length, line<float>(out, n, k, y));
  });
}

void scale_shift_cpu(const Tensor& in, const float* scale, const float* shift, const Tensor& out) {
  for_each_element_parallel(
      out, [&](auto b, auto y, auto x, auto c) { set(out, b, y, x, c, get(in, b, y, x, c) * scale[c] + shift[c]); });
}

}  // namespace maskrt::kernels
