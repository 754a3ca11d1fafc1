// exp, the logistic function and GELU without libm, so that loops over them vectorise.
#pragma once

#include <cstdint>
#include <type_traits>

namespace maskrt::kernels {

// Of a number or of the compiler's vector of numbers, which no function that is not inlined could return.

/// Whole numbers as wide as these floats.
template <typename Float>
using WholeOf = std::conditional_t<std::is_same_v<Float, float>, std::int32_t, decltype(Float{} < Float{})>;

/// out = e^(n ln 2 + r) for |r| up to ln 2 / 2, by Cephes' polynomial. `shifted` is n + 1.5 * 2^23: it has n in its low
/// bits.
template <typename Float>
[[gnu::always_inline]] inline void exponential_of_parts(const Float& shifted, const Float& r, Float& out) {
  using Whole = WholeOf<Float>;
  Float p = r * 1.9875691500e-4f + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  // 2^n in two factors, because 2^128 does not exist and x = 88.7 needs n = 128.
  const Whole whole = __builtin_bit_cast(Whole, shifted) - 0x4b400000;
  const Whole half = whole >> 1;
  out = p * __builtin_bit_cast(Float, (half + 127) << 23) * __builtin_bit_cast(Float, (whole - half + 127) << 23);
}

/// The nearest n to x / ln 2, as exponential_of_parts wants it: adding 1.5 * 2^23 leaves it in the low bits.
constexpr float kInverseLn2 = 1.44269504f, kShift = 12582912.0f;
/// ln 2 in two parts, of which n times the first is exact.
constexpr float kLn2 = 0.693359375f, kLn2Rest = -2.12194440e-4f;

/// x becomes e^x, within 2 ulp for x in [-87.3, 88.7]; beyond, the value at the nearer end.
template <typename Float>
[[gnu::always_inline]] inline void exponentiate(Float& x) {
  x = x < -87.3f ? Float{} - 87.3f : x;
  x = x > 88.7f ? Float{} + 88.7f : x;
  const Float shifted = x * kInverseLn2 + kShift, n = shifted - kShift;
  const Float r = (x - n * kLn2) - n * kLn2Rest;
  exponential_of_parts(shifted, r, x);
}

/// e^x, as exponentiate has it.
[[gnu::always_inline]] inline float exponential(float x) {
  exponentiate(x);
  return x;
}

/// x becomes 1 / (1 + e^-x).
template <typename Float>
[[gnu::always_inline]] inline void logistic_in_place(Float& x) {
  x = -x;
  exponentiate(x);
  x = 1.0f / (1.0f + x);
}

/// 1 / (1 + e^-x)
[[gnu::always_inline]] inline float logistic(float x) {
  logistic_in_place(x);
  return x;
}

/// x becomes x * Phi(x), Phi being the standard normal distribution: within 8 * 2^-24 of it in proportion where that is
/// no less than 2^-126. Phi(-a) = e^(-a^2 / 2) * q(1 / (1 + 0.35 a)), where the polynomial q is fitted to 5e-8 for a up
/// to 14.
template <typename Float>
[[gnu::always_inline]] inline void gelu_in_place(Float& x) {
  x = x < -20.0f ? Float{} - 20.0f : x;  // of which nothing is left
  const Float size = x < 0.0f ? -x : x, a = size > 20.0f ? Float{} + 20.0f : size;
  const Float t = 1.0f / (1.0f + 0.35f * a);
  Float q = t * -2.9145928099751472e-2f + 1.4397168159484863e-1f;
  q = q * t - 2.5571420788764954e-1f;
  q = q * t + 1.5917408466339111e-1f;
  q = q * t - 2.3109758272767067e-2f;
  q = q * t + 1.0550795495510101e-1f;
  q = q * t + 1.1983288824558258e-1f;
  q = q * t + 1.3986186683177948e-1f;
  q = q * t + 1.3962140679359436e-1f;
  // A rounding of a^2 is a^2 times as much of the exponential. So a^2 / 2 is the square of the upper 12 bits, which is
  // exact, and a rest, which goes into the exponential's reduced argument.
  const Float high = __builtin_bit_cast(Float, __builtin_bit_cast(WholeOf<Float>, a) & ~0xfff);
  const Float rest = (a - high) * (a + high) * -0.5f;
  Float square = high * high * -0.5f;
  square = square < -87.3f ? Float{} - 87.3f : square;
  const Float shifted = square * kInverseLn2 + kShift, n = shifted - kShift;
  Float tail;
  exponential_of_parts(shifted, (square - n * kLn2) - (n * kLn2Rest - rest), tail);
  tail *= q * t;
  x = x < 0.0f ? x * tail : x * (1.0f - tail);
}

}  // namespace maskrt::kernels
