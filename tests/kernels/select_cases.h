// What the CPU's and the GPU's tests of kernels/select try, and how their results are judged.
#pragma once

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "kernels/select/select.h"
#include "owned_tensor.h"

namespace maskrt::testing {

/// Logits of `classes` classes and one of none.
struct ProposalCase {
  std::int64_t batch, height, width, classes;
};
// One position, one class, around a warp's 32 logits, rows and columns alone, the middle level at 640 x 864 (cut).
inline const std::vector<ProposalCase> proposal_cases = {{1, 1, 1, 1},  {1, 1, 1, 80}, {2, 3, 5, 7},   {1, 7, 1, 30},
                                                         {1, 1, 9, 31}, {2, 4, 9, 32}, {1, 13, 11, 1}, {2, 20, 27, 80}};

/// Logits from -4 to 4; some positions have those of the one to their left, or of the one above, and tie with it.
inline void fill_logits(const kernels::Tensor& t, unsigned seed) {
  std::mt19937 engine(seed);
  std::uniform_real_distribution<float> number(-4, 4);
  kernels::for_each_element(t, [&](auto b, auto y, auto x, auto c) { kernels::set(t, b, y, x, c, number(engine)); });
  for (std::int64_t b = 0; b < t.batch; ++b)
    for (std::int64_t y = 0; y < t.height; ++y)
      for (std::int64_t x = 0; x < t.width; ++x) {
        const bool left = engine() % 5 == 0;
        const std::int64_t from_y = y - (left ? 0 : 1), from_x = x - (left ? 1 : 0);
        if (from_x < 0 || from_y < 0 || engine() % 2 == 0) continue;
        for (std::int64_t c = 0; c < t.channels; ++c)
          kernels::set(t, b, y, x, c, kernels::get(t, b, from_y, from_x, c));
      }
}

/// How far a score may be from the reference's, which rounds twice: exponentials within 2 ulp, a sum of `channels` of
/// them, a quotient, and the sum with 1, each below 2.
inline double score_bound(std::int64_t channels) { return (static_cast<double>(channels) + 8) * 2 * kUnitFp32; }

/// Fails where two neighbours of one class are so nearly as probable that rounding may decide which is the maximum:
/// another seed is then needed. Equal logits are equal for all.
inline void require_distinct(const kernels::Tensor& logits) {
  const auto logit = [&](std::int64_t b, std::int64_t y, std::int64_t x, std::int64_t c) {
    return static_cast<double>(kernels::get(logits, b, y, x, c));
  };
  const auto label = [&](std::int64_t b, std::int64_t y, std::int64_t x) {
    std::int64_t best = 0;
    for (std::int64_t c = 1; c + 1 < logits.channels; ++c)
      if (logit(b, y, x, c) > logit(b, y, x, best)) best = c;
    return best;
  };
  const auto probability = [&](std::int64_t b, std::int64_t y, std::int64_t x, std::int64_t of) {
    double sum = 0;
    for (std::int64_t c = 0; c < logits.channels; ++c) sum += std::exp(logit(b, y, x, c) - logit(b, y, x, of));
    return 1 / sum;
  };
  const auto close = [&](std::int64_t b, std::int64_t y, std::int64_t x, std::int64_t v, std::int64_t u) {
    if (v >= logits.height || u < 0 || u >= logits.width || label(b, y, x) != label(b, v, u)) return false;
    bool same = true;
    for (std::int64_t c = 0; c < logits.channels; ++c) same = same && logit(b, y, x, c) == logit(b, v, u, c);
    const std::int64_t of = label(b, y, x);
    return !same && std::abs(probability(b, y, x, of) - probability(b, v, u, of)) <= 2 * score_bound(logits.channels);
  };
  for (std::int64_t b = 0; b < logits.batch; ++b)
    for (std::int64_t y = 0; y < logits.height; ++y)
      for (std::int64_t x = 0; x < logits.width; ++x)
        for (const auto& [v, u] : {std::pair{y, x + 1}, {y + 1, x - 1}, {y + 1, x}, {y + 1, x + 1}})
          if (close(b, y, x, v, u))
            FAIL("logits of (" << b << ", " << y << ", " << x << ") and (" << v << ", " << u << ") are too close");
}

struct SelectCase {
  std::int64_t batch, height, width, count;
};
// One of one, all, around a block's 1024 threads, the middle level at 640 x 864, the most that there may be; a list.
inline const std::vector<SelectCase> select_cases = {{1, 1, 1, 1},      {2, 3, 5, 15},    {3, 1, 1023, 7},
                                                     {1, 32, 32, 1},    {2, 25, 41, 101}, {2, 40, 54, 100},
                                                     {1, 45, 46, 2048}, {2, 333, 1, 33}};

enum class Scores {
  any,
  few,    ///< eight values: ties everywhere
  equal,  ///< one value
  falling,
  rising,
  odd,  ///< infinities, zeros of both signs, subnormals and what is no number
};
constexpr Scores kAllScores[] = {Scores::any, Scores::few, Scores::equal, Scores::falling, Scores::rising, Scores::odd};

inline void fill_scores(const kernels::Tensor& t, Scores scores, unsigned seed) {
  std::mt19937 engine(seed);
  std::uniform_real_distribution<float> number(-2, 2);
  constexpr float infinity = std::numeric_limits<float>::infinity(), none = std::numeric_limits<float>::quiet_NaN();
  constexpr float odd[] = {infinity, -infinity, 0.0f, -0.0f, none, -none, 6e-8f, -6e-8f, 1.0f, -1.0f};
  std::int64_t n = 0;
  kernels::for_each_element(t, [&](auto b, auto y, auto x, auto c) {
    float value = 0.5f;
    if (scores == Scores::any) value = number(engine);
    if (scores == Scores::few) value = static_cast<float>(engine() % 8) - 4;
    if (scores == Scores::falling) value = -static_cast<float>(n);
    if (scores == Scores::rising) value = static_cast<float>(n);
    if (scores == Scores::odd) value = odd[engine() % std::size(odd)];
    kernels::set(t, b, y, x, c, value);
    ++n;
  });
}

/// Bit by bit, but that one number that is none is as good as another.
inline void require_same(const OwnedTensor& got, const OwnedTensor& want) {
  kernels::for_each_element(*want, [&](auto b, auto y, auto x, auto c) {
    const float found = kernels::get(*got, b, y, x, c), wanted = kernels::get(*want, b, y, x, c);
    const bool same =
        std::isnan(wanted) ? std::isnan(found) : found == wanted && std::signbit(found) == std::signbit(wanted);
    if (!same) FAIL("row " << y << " of image " << b << ": got " << found << ", want " << wanted);
  });
  got.require_intact();
}

struct GatherCase {
  std::int64_t batch, height, width, channels, rows;
};
// One number, primes, around vectors of 16 bytes, FastInst's queries (in width), a list.
inline const std::vector<GatherCase> gather_cases = {{1, 1, 1, 1, 1},   {2, 3, 5, 7, 11},    {1, 4, 4, 8, 3},
                                                     {2, 9, 7, 33, 17}, {1, 6, 5, 256, 100}, {2, 31, 1, 12, 5}};

/// Positions of a map, some of them none of its own.
inline void fill_positions(const kernels::Tensor& t, std::int64_t positions, unsigned seed) {
  std::mt19937 engine(seed);
  const auto end = static_cast<std::int32_t>(positions);
  const std::int32_t outside[] = {-1, end, end + 1, std::numeric_limits<std::int32_t>::min(),
                                  std::numeric_limits<std::int32_t>::max()};
  kernels::for_each_element(t, [&](auto b, auto y, auto x, auto c) {
    const bool inside = engine() % 4 != 0;
    t.as<std::int32_t>()[t.index(b, y, x, c)] = inside
                                                    ? static_cast<std::int32_t>(engine() % static_cast<unsigned>(end))
                                                    : outside[engine() % std::size(outside)];
  });
}

}  // namespace maskrt::testing
