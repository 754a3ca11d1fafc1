// What the tests of pools try, on the CPU and on the GPU.
#pragma once

#include <vector>

#include "kernels/pool/pool.h"
#include "map_shape.h"

namespace maskrt::testing {

struct MaxPoolCase {
  MapShape in;
  kernels::PoolGeometry geometry;

  MapShape out() const {
    const auto extent = [&](std::int64_t n) {
      return (n + 2 * geometry.padding - geometry.kernel) / geometry.stride + 1;
    };
    return {in.batch, extent(in.height), extent(in.width), in.channels};
  }
};
inline std::ostream& operator<<(std::ostream& stream, const MaxPoolCase& c) {
  return stream << c.in << ", window " << c.geometry.kernel << ", stride " << c.geometry.stride << ", padding "
                << c.geometry.padding;
}

/// 1, primes, around blocks and vectors of 16 bytes and a GPU's 32 of them in a block, windows that leave the map on
/// all sides, the stem's pool (in width and channels).
inline const std::vector<MaxPoolCase> max_pool_cases = {
    {{1, 1, 1, 1}, {1, 1, 0}},     {{1, 1, 1, 1}, {3, 2, 1}},     {{1, 1, 1, 1}, {3, 1, 1}},
    {{1, 1, 1, 8}, {3, 2, 1}},     {{1, 1, 1, 16}, {3, 2, 1}},    {{2, 3, 5, 7}, {3, 2, 1}},
    {{2, 3, 5, 7}, {2, 2, 0}},     {{2, 3, 5, 7}, {3, 1, 1}},     {{1, 15, 17, 8}, {3, 2, 1}},
    {{1, 15, 17, 15}, {3, 2, 1}},  {{1, 15, 17, 15}, {2, 2, 0}},  {{1, 15, 17, 15}, {3, 1, 1}},
    {{3, 2, 16, 16}, {2, 2, 0}},   {{3, 2, 16, 17}, {3, 2, 1}},   {{3, 2, 16, 17}, {2, 2, 0}},
    {{3, 2, 16, 17}, {3, 1, 1}},   {{1, 31, 3, 31}, {3, 1, 1}},   {{1, 31, 33, 31}, {3, 2, 1}},
    {{1, 31, 33, 31}, {2, 2, 0}},  {{1, 31, 33, 31}, {3, 1, 1}},  {{2, 9, 11, 33}, {3, 2, 1}},
    {{2, 20, 27, 32}, {3, 2, 1}},  {{2, 20, 27, 32}, {2, 2, 0}},  {{2, 20, 27, 32}, {3, 1, 1}},
    {{1, 13, 11, 100}, {5, 3, 2}}, {{1, 13, 11, 100}, {3, 2, 1}}, {{1, 13, 11, 100}, {2, 2, 0}},
    {{1, 13, 11, 100}, {3, 1, 1}}, {{1, 6, 1, 33}, {3, 2, 1}},    {{1, 6, 1, 33}, {3, 1, 1}},
    {{1, 4, 3, 257}, {3, 2, 1}},   {{1, 5, 7, 264}, {2, 1, 1}},   {{2, 6, 432, 64}, {3, 2, 1}},
};

struct AverageWindowCase {
  MapShape in;
  kernels::AveragePoolGeometry geometry;

  MapShape out() const {
    return {in.batch, kernels::average_pool_output_size(in.height, geometry),
            kernels::average_pool_output_size(in.width, geometry), in.channels};
  }
};
inline std::ostream& operator<<(std::ostream& stream, const AverageWindowCase& c) {
  return stream << c.in << ", window " << c.geometry.kernel << ", stride " << c.geometry.stride;
}

/// Of average pools whose windows have one size: maps smaller than the window, windows that reach beyond the end by
/// every part, that overlap, of one pixel; the shortcuts of ResNet-vd (2, 2), cut.
inline const std::vector<AverageWindowCase> average_window_cases = {
    {{1, 1, 1, 1}, {1, 1}},    {{1, 1, 1, 1}, {2, 2}},     {{1, 1, 1, 16}, {3, 1}},   {{2, 3, 5, 7}, {2, 2}},
    {{2, 3, 5, 7}, {3, 2}},    {{2, 3, 5, 7}, {8, 8}},     {{1, 15, 17, 8}, {2, 2}},  {{1, 15, 17, 15}, {3, 3}},
    {{1, 15, 17, 15}, {4, 2}}, {{3, 2, 16, 16}, {2, 2}},   {{3, 2, 16, 17}, {2, 2}},  {{3, 2, 16, 17}, {5, 4}},
    {{1, 31, 3, 31}, {2, 1}},  {{1, 31, 33, 31}, {2, 2}},  {{2, 9, 11, 33}, {7, 7}},  {{2, 20, 27, 32}, {2, 2}},
    {{2, 20, 27, 32}, {3, 2}}, {{1, 13, 11, 100}, {4, 3}}, {{1, 6, 1, 33}, {2, 2}},   {{1, 4, 3, 257}, {2, 2}},
    {{1, 5, 7, 264}, {2, 2}},  {{1, 20, 27, 64}, {2, 2}},  {{1, 1, 432, 24}, {2, 2}}, {{1, 40, 54, 16}, {16, 16}}};

struct AveragePoolCase {
  MapShape in;
  int height, width;  ///< cells

  MapShape out() const { return {in.batch, height, width, in.channels}; }
};
inline std::ostream& operator<<(std::ostream& stream, const AveragePoolCase& c) {
  return stream << c.in << " to " << c.height << "x" << c.width;
}

/// Windows of one position, that overlap, that are the whole map; fewer rows than cells; the pyramid's sizes of the
/// coarsest map at 640x864.
inline const std::vector<AveragePoolCase> average_pool_cases = {
    {{1, 1, 1, 1}, 1, 1},     {{1, 1, 1, 1}, 6, 6},     {{1, 1, 1, 16}, 2, 2},   {{2, 3, 5, 7}, 2, 3},
    {{2, 3, 5, 7}, 6, 6},     {{1, 7, 7, 8}, 6, 6},     {{1, 2, 3, 33}, 6, 6},   {{1, 15, 17, 15}, 1, 1},
    {{1, 15, 17, 15}, 2, 2},  {{1, 15, 17, 15}, 6, 6},  {{3, 2, 16, 17}, 3, 3},  {{3, 2, 16, 17}, 6, 6},
    {{1, 31, 33, 31}, 1, 1},  {{1, 31, 33, 31}, 3, 3},  {{1, 31, 33, 31}, 6, 6}, {{2, 13, 17, 31}, 3, 3},
    {{1, 13, 11, 100}, 2, 2}, {{1, 13, 11, 100}, 6, 6}, {{1, 6, 1, 33}, 3, 3},   {{1, 6, 1, 33}, 6, 6},
    {{2, 20, 27, 32}, 1, 1},  {{2, 20, 27, 32}, 2, 2},  {{2, 20, 27, 32}, 3, 3}, {{2, 20, 27, 32}, 6, 6},
    {{1, 20, 27, 64}, 1, 1},  {{1, 20, 27, 64}, 6, 6}};

}  // namespace maskrt::testing
