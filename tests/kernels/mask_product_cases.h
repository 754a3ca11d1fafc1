// What the tests of mask products try, on the CPU and on the GPU.
#pragma once

#include <cstdint>
#include <vector>

namespace maskrt::testing {

struct MaskProductCase {
  std::int64_t batch, height, width, channels, instances;
};
/// 1, primes, around the GPU's tiles of 64 positions, 104 instances and 32 and 256 features; the real layer, cut.
inline const std::vector<MaskProductCase> mask_product_cases = {
    {1, 1, 1, 1, 1},   {2, 5, 7, 16, 3},   {1, 7, 9, 31, 103},    {2, 8, 8, 33, 104},   {1, 5, 13, 8, 105},
    {3, 6, 4, 33, 17}, {3, 6, 4, 257, 17}, {1, 20, 27, 256, 100}, {1, 3, 43, 128, 209}, {1, 2, 17, 600, 31}};

}  // namespace maskrt::testing
