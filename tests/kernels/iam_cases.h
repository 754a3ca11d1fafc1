// What the tests of instance activation maps try, on the CPU and on the GPU.
#pragma once

#include <cstdint>
#include <vector>

namespace maskrt::testing {

struct AggregationCase {
  std::int64_t batch, height, width, channels, maps;
};
/// 1, primes, around the GPU's 32 positions, 112 maps (fp32: 64) and 256 channels and around the 256 positions that the
/// CPU works on at a time; the decoder's, cut in positions.
inline const std::vector<AggregationCase> aggregation_cases = {
    {1, 1, 1, 1, 1},     {2, 5, 3, 16, 7},      {1, 1, 31, 33, 111},   {1, 4, 8, 64, 112},   {3, 3, 11, 65, 113},
    {1, 16, 16, 257, 9}, {2, 20, 27, 256, 100}, {1, 10, 27, 256, 400}, {1, 15, 17, 17, 33},  {1, 15, 17, 80, 25},
    {2, 257, 1, 16, 16}, {2, 257, 1, 17, 33},   {1, 16, 16, 80, 25},   {1, 20, 27, 256, 20}, {1, 20, 27, 17, 33}};

}  // namespace maskrt::testing
