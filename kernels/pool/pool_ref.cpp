#include <algorithm>
#include <limits>

#include "kernels/element.h"
#include "pool.h"

namespace maskrt::kernels {

void max_pool_ref(const PoolGeometry& g, const Tensor& in, const Tensor& out) {
  for_each_element(out, [&](std::int64_t b, std::int64_t y, std::int64_t x, std::int64_t c) {
    float most = -std::numeric_limits<float>::infinity();
    const std::int64_t top = y * g.stride - g.padding, left = x * g.stride - g.padding;
    for (std::int64_t i = std::max<std::int64_t>(top, 0); i < std::min(top + g.kernel, in.height); ++i)
      for (std::int64_t j = std::max<std::int64_t>(left, 0); j < std::min(left + g.kernel, in.width); ++j)
        most = std::max(most, get(in, b, i, j, c));
    set(out, b, y, x, c, most);
  });
}

void average_pool_ref(const AveragePoolGeometry& g, const Tensor& in, const Tensor& out) {
  for_each_element(out, [&](std::int64_t b, std::int64_t y, std::int64_t x, std::int64_t c) {
    double sum = 0;
    std::int64_t count = 0;
    for (std::int64_t i = y * g.stride; i < std::min(y * g.stride + g.kernel, in.height); ++i) {
      for (std::int64_t j = x * g.stride; j < std::min(x * g.stride + g.kernel, in.width); ++j) {
        sum += get(in, b, i, j, c);
        ++count;
      }
    }
    set(out, b, y, x, c, static_cast<float>(sum / static_cast<double>(count)));
  });
}

void adaptive_average_pool_ref(const Tensor& in, const Tensor& out) {
  const auto first = [](std::int64_t i, std::int64_t n, std::int64_t size) { return i * n / size; };
  const auto end = [](std::int64_t i, std::int64_t n, std::int64_t size) { return ((i + 1) * n + size - 1) / size; };
  for_each_element(out, [&](std::int64_t b, std::int64_t y, std::int64_t x, std::int64_t c) {
    double sum = 0;
    std::int64_t count = 0;
    for (std::int64_t i = first(y, in.height, out.height); i < end(y, in.height, out.height); ++i) {
      for (std::int64_t j = first(x, in.width, out.width); j < end(x, in.width, out.width); ++j) {
        sum += get(in, b, i, j, c);
        ++count;
      }
    }
    set(out, b, y, x, c, static_cast<float>(sum / static_cast<double>(count)));
  });
}

}  // namespace maskrt::kernels
