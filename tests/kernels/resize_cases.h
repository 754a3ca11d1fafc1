// What the tests of resizes try, on the CPU and on the GPU.
#pragma once

#include <utility>
#include <vector>

#include "map_shape.h"

namespace maskrt::testing {

struct NearestCase {
  MapShape in;
  int factor;

  MapShape out() const { return {in.batch, in.height * factor, in.width * factor, in.channels}; }
};
inline std::ostream& operator<<(std::ostream& stream, const NearestCase& c) {
  return stream << c.in << " by " << c.factor;
}
inline const std::vector<NearestCase> nearest_cases = {
    {{1, 1, 1, 1}, 1},    {{1, 1, 1, 1}, 3},    {{1, 1, 1, 16}, 2},   {{2, 3, 5, 7}, 1},    {{2, 3, 5, 7}, 3},
    {{1, 15, 17, 15}, 2}, {{3, 2, 16, 17}, 3},  {{1, 31, 33, 31}, 2}, {{2, 20, 27, 32}, 2}, {{1, 13, 11, 100}, 3},
    {{1, 6, 1, 33}, 3},   {{1, 5, 17, 264}, 2}, {{1, 10, 13, 64}, 2}, {{3, 2, 31, 33}, 2}};

struct FactorCase {
  MapShape in;
  double factor;

  MapShape out() const {
    return {in.batch, static_cast<std::int64_t>(static_cast<double>(in.height) * factor),
            static_cast<std::int64_t>(static_cast<double>(in.width) * factor), in.channels};
  }
};
inline std::ostream& operator<<(std::ostream& stream, const FactorCase& c) {
  return stream << c.in << " by " << c.factor;
}
/// Larger, as large, smaller, and by factors that make the output end within an input pixel.
inline const std::vector<FactorCase> factor_cases = {
    {{1, 1, 1, 1}, 2.0},    {{1, 1, 1, 1}, 2.7},     {{1, 1, 1, 16}, 1.5},    {{2, 3, 5, 7}, 2.0},
    {{2, 3, 5, 7}, 4.0},    {{2, 3, 5, 7}, 2.7},     {{1, 15, 17, 15}, 1.5},  {{1, 15, 17, 15}, 4.0},
    {{3, 2, 16, 17}, 2.0},  {{3, 2, 16, 17}, 2.7},   {{1, 31, 33, 31}, 1.5},  {{1, 31, 33, 31}, 2.0},
    {{2, 20, 27, 32}, 2.0}, {{1, 13, 11, 100}, 2.7}, {{1, 13, 11, 100}, 4.0}, {{1, 6, 1, 33}, 2.0},
    {{1, 6, 1, 33}, 4.0},   {{2, 9, 13, 100}, 1.0},  {{2, 9, 13, 100}, 2.0},  {{2, 9, 13, 100}, 1.5},
    {{2, 9, 13, 100}, 0.7}};

struct ResizeSumCase {
  std::vector<std::pair<int, int>> inputs;  ///< height, width
  int height, width, channels;              ///< of the output
};
/// One and many sources, larger and smaller than the output; the pyramid's, and the encoder's last sum, cut.
inline const std::vector<ResizeSumCase> resize_sum_cases = {
    {{{1, 1}}, 1, 1, 1},
    {{{3, 5}}, 7, 11, 7},
    {{{9, 7}}, 4, 3, 8},
    {{{1, 1}, {2, 3}, {31, 33}}, 11, 9, 31},
    {{{1, 1}, {2, 3}, {15, 17}}, 11, 9, 15},
    {{{1, 1}, {2, 2}, {3, 3}, {6, 6}}, 20, 27, 40},
    {{{5, 7}, {10, 14}}, 20, 28, 257},
    {{{2, 2}, {2, 2}, {2, 2}, {2, 2}, {2, 2}, {2, 2}, {2, 2}, {3, 1}}, 5, 33, 16}};

}  // namespace maskrt::testing
