#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "attention.h"
#include "kernels/element.h"

namespace maskrt::kernels {

void attention_ref(const Tensor& queries, const Tensor& keys, const Tensor& values, int heads, const Tensor& out,
                   const Tensor* masks) {
  const std::int64_t width = queries.channels / heads, depth = values.channels / heads;
  const double scale = 1 / std::sqrt(static_cast<double>(width));
  std::vector<double> shares(static_cast<std::size_t>(keys.height * keys.width));
  const auto share = [&](std::int64_t v, std::int64_t u) -> double& {
    return shares[static_cast<std::size_t>(v * keys.width + u)];
  };
  // Of the query and head that come next: for_each_element has channels innermost.
  const auto weigh = [&](std::int64_t b, std::int64_t y, std::int64_t x, std::int64_t head) {
    const std::int64_t query = y * queries.width + x;
    const auto left_out = [&](std::int64_t v, std::int64_t u) {
      return masks != nullptr && query < masks->channels && get(*masks, b, v, u, query) < 0;
    };
    bool all = true;
    for (std::int64_t v = 0; v < keys.height; ++v)
      for (std::int64_t u = 0; u < keys.width; ++u) all = all && left_out(v, u);
    for (std::int64_t v = 0; v < keys.height; ++v)
      for (std::int64_t u = 0; u < keys.width; ++u) {
        double dot = 0;
        for (std::int64_t c = head * width; c < (head + 1) * width; ++c)
          dot += static_cast<double>(get(queries, b, y, x, c)) * static_cast<double>(get(keys, b, v, u, c));
        share(v, u) = left_out(v, u) && !all ? -std::numeric_limits<double>::infinity() : dot * scale;
      }
    const double most = *std::max_element(shares.begin(), shares.end());
    double sum = 0;
    for (double& s : shares) sum += s = std::exp(s - most);
    for (double& s : shares) s /= sum;
  };
  for_each_element(out, [&](std::int64_t b, std::int64_t y, std::int64_t x, std::int64_t c) {
    if (c % depth == 0) weigh(b, y, x, c / depth);
    double sum = 0;
    for (std::int64_t v = 0; v < values.height; ++v)
      for (std::int64_t u = 0; u < values.width; ++u) sum += share(v, u) * static_cast<double>(get(values, b, v, u, c));
    set(out, b, y, x, c, static_cast<float>(sum));
  });
}

}  // namespace maskrt::kernels
