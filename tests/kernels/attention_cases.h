// What the tests of attention try, on the CPU and on the GPU.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "map_shape.h"

namespace maskrt::testing {

struct AttentionCase {
  MapShape queries;
  std::int64_t key_height, key_width, value_channels;
  int heads;
  /// Queries and keys lie within [-scale, scale): the larger, the more a single key takes of a query's weight.
  float scale = 1;

  MapShape keys() const { return {queries.batch, key_height, key_width, queries.channels}; }
  MapShape values() const { return {queries.batch, key_height, key_width, value_channels}; }
  MapShape out() const { return {queries.batch, queries.height, queries.width, value_channels}; }
};

inline std::ostream& operator<<(std::ostream& stream, const AttentionCase& c) {
  return stream << c.queries << ", keys " << c.key_height << "x" << c.key_width << ", values of " << c.value_channels
                << ", " << c.heads << " heads, scale " << c.scale;
}

/// 1, primes, around tiles of queries and of keys; channels of a head that are no whole blocks; batches; few queries on
/// many keys and many on few; one key; scores so large that their exponentials are beyond fp32; stages of PVTv2 at
/// 640x864, cut.
inline const std::vector<AttentionCase> attention_cases = {
    {{1, 1, 1, 1}, 1, 1, 1, 1},          {{1, 1, 1, 16}, 1, 1, 16, 1},        {{1, 3, 5, 8}, 1, 1, 8, 2},
    {{2, 3, 5, 7}, 2, 3, 11, 1},         {{2, 3, 5, 21}, 7, 1, 7, 7, 2},      {{1, 4, 4, 16}, 4, 4, 16, 1, 8},
    {{1, 15, 1, 32}, 15, 1, 32, 1},      {{1, 16, 1, 32}, 16, 1, 32, 2},      {{1, 17, 1, 64}, 17, 1, 64, 2, 4},
    {{3, 31, 1, 24}, 33, 1, 40, 2},      {{1, 9, 11, 64}, 7, 7, 64, 1, 2},    {{1, 5, 13, 96}, 7, 7, 96, 3, 2},
    {{2, 8, 8, 64}, 8, 8, 128, 8},       {{1, 1, 7, 64}, 23, 29, 64, 2, 2},   {{1, 100, 1, 256}, 20, 27, 256, 8},
    {{1, 19, 54, 64}, 10, 13, 64, 2},    {{1, 13, 1, 40}, 127, 1, 40, 5, 40}, {{2, 13, 1, 32}, 129, 1, 32, 1, 40},
    {{1, 2, 2, 160}, 1, 300, 160, 5, 3}, {{1, 1, 3, 512}, 5, 7, 512, 8},      {{1, 3, 1, 300}, 6, 1, 300, 1, 1},
};

/// The largest error of an output where values lie within [-1, 1], of a kernel that rounds what it multiplies to `unit`
/// and its exponentials' arguments and sums to fp32. A score is off by at most its roundings, and each weight by twice
/// that; sums of n products in any order are within about sqrt(n) units of the sum of their magnitudes.
inline double attention_error(const AttentionCase& c, double unit) {
  constexpr double fp32 = 0x1p-24;
  const auto width = static_cast<double>(c.queries.channels / c.heads);
  const auto keys = static_cast<double>(c.key_height * c.key_width);
  const double largest_score = std::sqrt(width) * static_cast<double>(c.scale) * static_cast<double>(c.scale);
  const double of_score = largest_score * (2 * (unit > fp32 ? unit : 0) + fp32 * (6 + std::sqrt(width)));
  return std::min(2.0, 2 * of_score + 2 * (unit > fp32 ? unit : 0) + fp32 * (12 + 2 * std::sqrt(keys)));
}

}  // namespace maskrt::testing
