// exp and the logistic function without libm, so that loops over them vectorise.
#pragma once

#include <bit>
#include <cstdint>

namespace maskrt::kernels {

/// e^x within 2 ulp for x in [-87.3, 88.7]; beyond, the value at the nearer end. Cephes' polynomial after x = n ln 2 +
/// r.
[[gnu::always_inline]] inline float exponential(float x) {
  x = x < -87.3f ? -87.3f : x;
  x = x > 88.7f ? 88.7f : x;
  // Adding 1.5 * 2^23 leaves the nearest integer in the low bits.
  const float shifted = x * 1.44269504f + 12582912.0f;
  const float n = shifted - 12582912.0f;
  const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  // 2^n in two factors, because 2^128 does not exist and x = 88.7 needs n = 128.
  const std::int32_t whole = std::bit_cast<std::int32_t>(shifted) - 0x4b400000;
  const std::int32_t half = whole >> 1;
  return p * std::bit_cast<float>((half + 127) << 23) * std::bit_cast<float>((whole - half + 127) << 23);
}

/// 1 / (1 + e^-x)
[[gnu::always_inline]] inline float logistic(float x) { return 1.0f / (1.0f + exponential(-x)); }

}  // namespace maskrt::kernels
