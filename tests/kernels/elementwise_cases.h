// What the tests of elementwise operations try, on the CPU and on the GPU.
#pragma once

#include <vector>

#include "map_shape.h"

namespace maskrt::testing {

/// 1, primes, around blocks, octets, vectors and warps of octets; maps of real layers, cut.
inline const std::vector<MapShape> elementwise_cases = {
    {1, 1, 1, 1},    {1, 1, 1, 16},  {2, 3, 5, 7},    {1, 8, 4, 8},    {3, 11, 3, 9},
    {1, 15, 17, 15}, {3, 2, 16, 17}, {1, 31, 33, 31}, {2, 20, 27, 32}, {1, 13, 11, 100},
    {1, 6, 1, 33},   {1, 5, 7, 31},  {2, 1, 9, 255},  {1, 2, 3, 257},  {1, 20, 27, 64}};

}  // namespace maskrt::testing
