#include <algorithm>
#include <cstring>
#include <vector>

#include "kernels/cpu/lines.h"
#include "kernels/cpu/rows.h"
#include "resize.h"

namespace maskrt::kernels {
namespace {

/// out[x] += the bilinear interpolation of the two source rows at x, `Block` channels a pixel.
template <int Block>
[[gnu::always_inline]] inline void add_blended(const float* top, const float* bottom, float weight,
                                               const BilinearTap* columns, std::int64_t n, float* out) {
  for (std::int64_t x = 0; x < n; ++x) {
    const float* a = top + columns[x].low * Block;
    const float* b = top + columns[x].high * Block;
    const float* c = bottom + columns[x].low * Block;
    const float* d = bottom + columns[x].high * Block;
    const float w = columns[x].weight;
    for (int i = 0; i < Block; ++i) {
      const float upper = a[i] + (b[i] - a[i]) * w, lower = c[i] + (d[i] - c[i]) * w;
      out[x * Block + i] += upper + (lower - upper) * weight;
    }
  }
}

MASKRT_CLONES void add_blended_16(const float* top, const float* bottom, float weight, const BilinearTap* columns,
                                  std::int64_t n, float* out) {
  add_blended<16>(top, bottom, weight, columns, n, out);
}

MASKRT_CLONES void add_blended_8(const float* top, const float* bottom, float weight, const BilinearTap* columns,
                                 std::int64_t n, float* out) {
  add_blended<8>(top, bottom, weight, columns, n, out);
}

MASKRT_CLONES void blend_rows(const float* top, const float* bottom, float weight, std::int64_t n, float* out) {
  for (std::int64_t i = 0; i < n; ++i) out[i] = top[i] + (bottom[i] - top[i]) * weight;
}

/// The common case of factor 2: the weights alternate between 1/4 and 3/4, so no table is read. Reads n numbers, writes
/// 2n.
MASKRT_CLONES void double_row(const float* in, std::int64_t n, float* out) {
  out[0] = in[0];
  out[2 * n - 1] = in[n - 1];
  for (std::int64_t i = 0; i < n - 1; ++i) {
    out[2 * i + 1] = in[i] + (in[i + 1] - in[i]) * 0.25f;
    out[2 * i + 2] = in[i] + (in[i + 1] - in[i]) * 0.75f;
  }
}

std::vector<BilinearTap> taps(std::int64_t size, std::int64_t out_size, float step) {
  std::vector<BilinearTap> result(static_cast<std::size_t>(out_size));
  for (std::int64_t i = 0; i < out_size; ++i) result[static_cast<std::size_t>(i)] = bilinear_tap(i, size, step);
  return result;
}

/// planes[c][i] = pixels[i * stride + c] for `count` channels of `n` pixels.
void split_channels(const float* pixels, std::int64_t n, std::int64_t stride, std::int64_t count, float* planes) {
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t c = 0; c < count; ++c) planes[c * n + i] = pixels[i * stride + c];
}

}  // namespace

void upsample_nearest_cpu(const Tensor& in, int factor, const Tensor& out) {
  if (!same_lines(in, out)) {
    for_each_element_parallel(
        out, [&](auto b, auto y, auto x, auto c) { set(out, b, y, x, c, get(in, b, y / factor, x / factor, c)); });
    return;
  }
  const std::size_t pixel = static_cast<std::size_t>(out.block) * sizeof(float);
  for_each_line(out, [&](auto b, auto k, auto y) {
    const float* from = line<float>(in, b, k, y / factor);
    float* to = line<float>(out, b, k, y);
    for (std::int64_t x = 0; x < in.width; ++x, from += in.block)
      for (int i = 0; i < factor; ++i, to += out.block) std::memcpy(to, from, pixel);
  });
}

void resize_bilinear_sum_cpu(std::span<const Tensor> inputs, const Tensor& out) {
  const bool fast = (out.block == 16 || out.block == 8) &&
                    std::all_of(inputs.begin(), inputs.end(), [&](const Tensor& in) { return same_lines(in, out); });
  if (!fast) {
    resize_bilinear_sum_ref(inputs, out);
    return;
  }
  std::vector<std::vector<BilinearTap>> columns;
  for (const Tensor& in : inputs)
    columns.push_back(taps(in.width, out.width, static_cast<float>(in.width) / static_cast<float>(out.width)));
  for_each_line(out, [&](auto b, auto k, auto y) {
    float* to = line<float>(out, b, k, y);
    std::fill_n(to, out.width * out.block, 0.0f);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const Tensor& in = inputs[i];
      const BilinearTap row =
          bilinear_tap(y, in.height, static_cast<float>(in.height) / static_cast<float>(out.height));
      (out.block == 16 ? add_blended_16 : add_blended_8)(line<float>(in, b, k, row.low),
                                                         line<float>(in, b, k, row.high), row.weight, columns[i].data(),
                                                         out.width, to);
    }
  });
}

void resize_bilinear_factor_cpu(const Tensor& in, double factor, const Tensor& out) {
  if (out.block != 1 || out.pixel_stride != 1 || in.type != DataType::f32 || out.type != DataType::f32) {
    resize_bilinear_factor_ref(in, factor, out);
    return;
  }
  const float step = static_cast<float>(1.0 / factor);
  const auto rows = taps(in.height, out.height, step), columns = taps(in.width, out.width, step);
  const std::int64_t blocks = in.blocks(), pixels = in.height * in.width;
  ParallelFailure failure;
#pragma omp parallel
  {
    std::vector<float> planes, blended;
#pragma omp for collapse(2) schedule(static)
    for (std::int64_t b = 0; b < in.batch; ++b) {
      for (std::int64_t k = 0; k < blocks; ++k) {
        failure.guard([&] {
          planes.resize(static_cast<std::size_t>(in.block * pixels));
          blended.resize(static_cast<std::size_t>(in.width));
          const std::int64_t count = std::min(in.block, in.channels - k * in.block);
          split_channels(line<float>(in, b, k, 0), pixels, in.pixel_stride, count, planes.data());
          for (std::int64_t c = 0; c < count; ++c) {
            const float* plane = planes.data() + c * pixels;
            for (std::int64_t y = 0; y < out.height; ++y) {
              const BilinearTap& row = rows[static_cast<std::size_t>(y)];
              float* to = line<float>(out, b, k * in.block + c, y);
              blend_rows(plane + row.low * in.width, plane + row.high * in.width, row.weight, in.width, blended.data());
              if (factor == 2.0) {
                double_row(blended.data(), in.width, to);
                continue;
              }
              for (std::int64_t x = 0; x < out.width; ++x) {
                const BilinearTap& column = columns[static_cast<std::size_t>(x)];
                const float left = blended[static_cast<std::size_t>(column.low)];
                to[x] = left + (blended[static_cast<std::size_t>(column.high)] - left) * column.weight;
              }
            }
          }
        });
      }
    }
  }
  failure.rethrow();
}

}  // namespace maskrt::kernels
