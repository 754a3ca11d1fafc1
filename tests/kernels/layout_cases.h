// What the tests of copies between layouts and types try, on the CPU and on the GPU.
#pragma once

#include <vector>

#include "map_shape.h"

namespace maskrt::testing {

/// 1, primes, around blocks, octets and the 32 x 32 squares that are turned round; an input image; a group of maps.
inline const std::vector<MapShape> layout_cases = {{1, 1, 1, 1},     {1, 1, 1, 16},  {2, 3, 5, 7},    {1, 4, 8, 8},
                                                   {3, 1, 33, 9},    {1, 5, 7, 31},  {1, 15, 17, 15}, {3, 2, 16, 17},
                                                   {2, 4, 8, 33},    {1, 31, 33, 3}, {1, 31, 33, 31}, {2, 20, 27, 32},
                                                   {1, 13, 11, 100}, {1, 6, 1, 33},  {2, 5, 27, 100}};

}  // namespace maskrt::testing
