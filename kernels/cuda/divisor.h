// Division by an invariant integer as a multiplication and a shift. Read by host and device code.
#pragma once

#include <cstdint>

#ifdef __CUDACC__
#define MASKRT_HOST_DEVICE __host__ __device__
#else
#define MASKRT_HOST_DEVICE
#endif

namespace maskrt::kernels::cuda {

/// Divides 0 <= n < 2^31 by 1 <= d < 2^31. With s = ceil(log2 d) and m = ceil(2^(31 + s) / d), floor(n * m / 2^(31 +
/// s)) is exact, because m * d exceeds 2^(31 + s) by less than 2^s (Granlund and Montgomery, "Division by Invariant
/// Integers using Multiplication", theorem 4.2).
struct Divisor {
  std::uint32_t multiplier, shift, divisor;

  MASKRT_HOST_DEVICE int quotient(int n) const {
    return static_cast<int>((static_cast<std::uint64_t>(static_cast<std::uint32_t>(n)) * multiplier) >> shift);
  }
  MASKRT_HOST_DEVICE int remainder(int n, int quotient_of_n) const {
    return n - quotient_of_n * static_cast<int>(divisor);
  }
};

inline Divisor divide_by(std::int64_t d) {
  std::uint32_t s = 0;
  while ((std::int64_t{1} << s) < d) ++s;
  const std::uint64_t power = std::uint64_t{1} << (31 + s), by = static_cast<std::uint64_t>(d);
  return {static_cast<std::uint32_t>((power + by - 1) / by), 31 + s, static_cast<std::uint32_t>(d)};
}

}  // namespace maskrt::kernels::cuda
