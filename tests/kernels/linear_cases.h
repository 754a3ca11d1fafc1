// What the tests of linear layers try, on the CPU and on the GPU.
#pragma once

#include <vector>

namespace maskrt::testing {

struct LinearCase {
  int batch, rows, in_channels, out_channels;
};
/// 1, primes, around tiles of 32, the branch's first layer and the class head; more rows than one grid row of tiles.
inline const std::vector<LinearCase> linear_cases = {
    {1, 1, 1, 1},     {2, 3, 5, 7},      {1, 31, 33, 32},    {3, 11, 32, 33},     {2, 17, 33, 31},
    {2, 17, 264, 31}, {1, 100, 256, 80}, {1, 100, 1024, 96}, {1, 100, 1024, 129}, {5, 13, 80, 64}};

}  // namespace maskrt::testing
