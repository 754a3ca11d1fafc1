#include <algorithm>
#include <bit>
#include <functional>
#include <vector>

#include "kernels/cpu/exponential.h"
#include "kernels/cpu/parallel_failure.h"
#include "kernels/cpu/rows.h"
#include "kernels/element.h"
#include "select.h"
#include "select_key.h"

namespace maskrt::kernels {
namespace {

/// e^(x - most) in place.
MASKRT_CLONES void exponential_row(float* x, float most, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) x[i] = exponential(x[i] - most);
}

/// Channels of one pixel, or of one row of a list, side by side.
void copy_pixel(const Tensor& in, std::int64_t b, std::int64_t position, float* to) {
  const float* pixel = in.as<float>() + b * in.batch_stride + position * in.pixel_stride;
  for (std::int64_t c = 0; c < in.channels; c += in.block, pixel += in.block_stride)
    std::copy_n(pixel, std::min(in.block, in.channels - c), to + c);
}

/// `logits` are the K + 1 of a position, and its scratch memory.
BestClass best_class(std::vector<float>& logits) {
  const auto best = std::max_element(logits.begin(), logits.end() - 1);  // the first of equals
  const auto label = best - logits.begin();
  exponential_row(logits.data(), std::max(*best, logits.back()), static_cast<std::int64_t>(logits.size()));
  float sum = 0;
  for (const float value : logits) sum += value;
  return {*best / sum, static_cast<std::int32_t>(label)};
}

/// Whether no neighbour of the same class is more probable.
bool is_maximum(const BestClass* best, std::int64_t height, std::int64_t width, std::int64_t y, std::int64_t x) {
  const BestClass own = best[y * width + x];
  for (std::int64_t v = std::max<std::int64_t>(y - 1, 0); v <= std::min(y + 1, height - 1); ++v) {
    for (std::int64_t u = std::max<std::int64_t>(x - 1, 0); u <= std::min(x + 1, width - 1); ++u) {
      const BestClass other = best[v * width + u];
      if (other.label == own.label && !(own.probability >= other.probability)) return false;
    }
  }
  return true;
}

}  // namespace

void proposal_scores_cpu(const Tensor& logits, float epsilon, BestClass* best, const Tensor& scores) {
  const std::int64_t rows = logits.batch * logits.height, height = logits.height, width = logits.width;
  ParallelFailure failure;
#pragma omp parallel for schedule(static)
  for (std::int64_t row = 0; row < rows; ++row)
    failure.guard([&] {
      std::vector<float> pixel(static_cast<std::size_t>(logits.channels));
      for (std::int64_t x = 0; x < width; ++x) {
        copy_pixel(logits, row / height, row % height * width + x, pixel.data());
        best[row * width + x] = best_class(pixel);
      }
    });
  failure.rethrow();
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::int64_t b = row / height, y = row % height;
    const BestClass* image = best + b * height * width;
    for (std::int64_t x = 0; x < width; ++x) {
      const float probability = image[y * width + x].probability;
      const bool maximum = probability >= epsilon && is_maximum(image, height, width, y, x);
      scores.as<float>()[scores.index(b, y * width + x, 0, 0)] = probability + (maximum ? 1.0f : 0.0f);
    }
  }
}

void select_top_cpu(const Tensor& in, std::uint64_t* keys, const Tensor& positions, const Tensor& scores) {
  const std::int64_t all = in.height * in.width, count = positions.height;
  for (std::int64_t b = 0; b < in.batch; ++b) {
    const auto score = [&](std::int64_t p) { return in.as<float>()[b * in.batch_stride + p * in.pixel_stride]; };
    for (std::int64_t p = 0; p < all; ++p)
      keys[p] = select_key(std::bit_cast<std::uint32_t>(score(p)), static_cast<int>(p));
    std::nth_element(keys, keys + (count - 1), keys + all, std::greater<>());
    std::sort(keys, keys + count, std::greater<>());
    for (std::int64_t n = 0; n < count; ++n) {
      const int position = position_of(keys[n]);
      positions.as<std::int32_t>()[positions.index(b, n, 0, 0)] = position;
      scores.as<float>()[scores.index(b, n, 0, 0)] = score(position);
    }
  }
}

void gather_positions_cpu(const Tensor& in, const Tensor& positions, const Tensor& out) {
  for (std::int64_t b = 0; b < out.batch; ++b) {
    for (std::int64_t n = 0; n < out.height; ++n) {
      const std::int64_t p = positions.as<std::int32_t>()[positions.index(b, n, 0, 0)];
      float* const to = out.as<float>() + out.index(b, n, 0, 0);
      if (p >= 0 && p < in.height * in.width) {
        copy_pixel(in, b, p, to);
      } else {
        std::fill_n(to, out.channels, 0.0f);
      }
    }
  }
}

}  // namespace maskrt::kernels
