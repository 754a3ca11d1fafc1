#include "kernels/element.h"
#include "resize.h"

namespace maskrt::kernels {
namespace {

float sample(const Tensor& in, const BilinearTap& row, const BilinearTap& column, std::int64_t b, std::int64_t c) {
  const float top =
      get(in, b, row.low, column.low, c) * (1 - column.weight) + get(in, b, row.low, column.high, c) * column.weight;
  const float bottom =
      get(in, b, row.high, column.low, c) * (1 - column.weight) + get(in, b, row.high, column.high, c) * column.weight;
  return top * (1 - row.weight) + bottom * row.weight;
}

}  // namespace

void upsample_nearest_ref(const Tensor& in, int factor, const Tensor& out) {
  for_each_element(
      out, [&](auto b, auto y, auto x, auto c) { set(out, b, y, x, c, get(in, b, y / factor, x / factor, c)); });
}

void resize_bilinear_sum_ref(std::span<const Tensor> inputs, const Tensor& out) {
  for_each_element(out, [&](auto b, auto y, auto x, auto c) {
    float sum = 0;
    for (const Tensor& in : inputs) {
      const float rows = static_cast<float>(in.height) / static_cast<float>(out.height);
      const float columns = static_cast<float>(in.width) / static_cast<float>(out.width);
      sum += sample(in, bilinear_tap(y, in.height, rows), bilinear_tap(x, in.width, columns), b, c);
    }
    set(out, b, y, x, c, sum);
  });
}

void resize_bilinear_factor_ref(const Tensor& in, double factor, const Tensor& out) {
  const float step = static_cast<float>(1.0 / factor);
  for_each_element(out, [&](auto b, auto y, auto x, auto c) {
    set(out, b, y, x, c, sample(in, bilinear_tap(y, in.height, step), bilinear_tap(x, in.width, step), b, c));
  });
}

}  // namespace maskrt::kernels
