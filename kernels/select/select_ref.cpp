#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "kernels/element.h"
#include "select.h"

namespace maskrt::kernels {
namespace {

BestClass best_class(const Tensor& logits, std::int64_t b, std::int64_t y, std::int64_t x) {
  const auto logit = [&](std::int64_t c) { return get(logits, b, y, x, c); };
  const std::int64_t classes = logits.channels - 1;
  std::int64_t best = 0;
  for (std::int64_t c = 1; c < classes; ++c)
    if (logit(c) > logit(best)) best = c;
  const float most = std::max(logit(best), logit(classes));
  double sum = 0;
  for (std::int64_t c = 0; c <= classes; ++c) sum += std::exp(static_cast<double>(logit(c) - most));
  const double probability = std::exp(static_cast<double>(logit(best) - most)) / sum;
  return {static_cast<float>(probability), static_cast<std::int32_t>(best)};
}

}  // namespace

void proposal_scores_ref(const Tensor& logits, float epsilon, const Tensor& scores) {
  const std::int64_t height = logits.height, width = logits.width;
  for (std::int64_t b = 0; b < logits.batch; ++b) {
    for (std::int64_t y = 0; y < height; ++y) {
      for (std::int64_t x = 0; x < width; ++x) {
        const BestClass own = best_class(logits, b, y, x);
        bool maximum = own.probability >= epsilon;
        for (std::int64_t v = std::max<std::int64_t>(y - 1, 0); v <= std::min(y + 1, height - 1); ++v) {
          for (std::int64_t u = std::max<std::int64_t>(x - 1, 0); u <= std::min(x + 1, width - 1); ++u) {
            const BestClass other = best_class(logits, b, v, u);
            if (other.label == own.label && !(own.probability >= other.probability)) maximum = false;
          }
        }
        set(scores, b, y * width + x, 0, 0, own.probability + (maximum ? 1.0f : 0.0f));
      }
    }
  }
}

void select_top_ref(const Tensor& in, const Tensor& positions, const Tensor& scores) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(in.height * in.width));
  for (std::int64_t b = 0; b < in.batch; ++b) {
    const auto score = [&](std::int64_t p) { return get(in, b, p / in.width, p % in.width, 0); };
    std::iota(order.begin(), order.end(), std::int64_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::int64_t p, std::int64_t q) {
      return std::isnan(score(q)) ? !std::isnan(score(p)) : score(p) > score(q);
    });
    for (std::int64_t n = 0; n < positions.height; ++n) {
      const std::int64_t p = order[static_cast<std::size_t>(n)];
      positions.as<std::int32_t>()[positions.index(b, n, 0, 0)] = static_cast<std::int32_t>(p);
      set(scores, b, n, 0, 0, score(p));
    }
  }
}

void gather_positions_ref(const Tensor& in, const Tensor& positions, const Tensor& out) {
  for_each_element(out, [&](std::int64_t b, std::int64_t n, std::int64_t, std::int64_t c) {
    const std::int64_t p = positions.as<std::int32_t>()[positions.index(b, n, 0, 0)];
    const bool inside = p >= 0 && p < in.height * in.width;
    set(out, b, n, 0, c, inside ? get(in, b, p / in.width, p % in.width, c) : 0.0f);
  });
}

}  // namespace maskrt::kernels
