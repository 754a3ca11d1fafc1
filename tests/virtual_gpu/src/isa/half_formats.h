// The 16-bit and 8-bit floating-point formats, free of branches so that loops over lanes vectorise.
// PTX ISA, 5.2.3 "Alternate Floating-Point Data Formats".
#pragma once

#include "isa/lanes.h"

namespace vgpu::VGPU_LEVEL {

struct Half {
  static constexpr u32 kOne = 0x3c00;
  static constexpr u32 kNan = 0x7fff;
  static constexpr u32 kInfinity = 0x7c00;

  static float to_float(u16 h) {
    // The exponent is rebased by a multiplication, which also normalises subnormals; infinities and NaNs are patched.
    const u32 magnitude = static_cast<u32>(h & 0x7fff) << 13;
    const float scaled = std::bit_cast<float>(magnitude) * 0x1p112f;
    const u32 bits = magnitude >= 0x0f800000u ? magnitude | 0x7f800000u : std::bit_cast<u32>(scaled);
    return std::bit_cast<float>(bits | static_cast<u32>(h & 0x8000) << 16);
  }
  /// To nearest, ties to even; too large becomes infinity.
  static u16 from_float(float value) {
    const u32 bits = std::bit_cast<u32>(value);
    const u32 magnitude = bits & 0x7fffffffu;
    const u32 normal = (magnitude + 0xc8000fffu + ((magnitude >> 13) & 1)) >> 13;
    // Below 2^-14: adding 0.5 lines the fraction up with the subnormal's last bit and rounds it.
    const u32 subnormal = std::bit_cast<u32>(std::bit_cast<float>(magnitude) + 0.5f) - 0x3f000000u;
    u32 h = magnitude < 0x38800000u ? subnormal : normal;
    h = magnitude >= 0x47800000u ? kInfinity : h;
    h = magnitude > 0x7f800000u ? kNan : h | (bits >> 16 & 0x8000);
    return static_cast<u16>(h);
  }
};

struct Bfloat {
  static constexpr u32 kOne = 0x3f80;
  static constexpr u32 kNan = 0x7fff;
  static constexpr u32 kInfinity = 0x7f80;

  static float to_float(u16 h) { return std::bit_cast<float>(static_cast<u32>(h) << 16); }
  static u16 from_float(float value) {
    const u32 bits = std::bit_cast<u32>(value);
    const u32 rounded = (bits + 0x7fffu + (bits >> 16 & 1)) >> 16;
    return static_cast<u16>((bits & 0x7fffffffu) > 0x7f800000u ? kNan : rounded);
  }
};

/// Rounds a double to float so that a second rounding to fewer bits gives what one rounding would: to odd.
inline float to_odd(double value) {
  const float f = static_cast<float>(value);
  const bool inexact = static_cast<double>(f) != value && value == value;
  // Step towards zero where the rounding went away from it, then set the last bit.
  const u32 bits = std::bit_cast<u32>(f);
  const bool away = (f < 0 ? -static_cast<double>(f) : static_cast<double>(f)) > (value < 0 ? -value : value);
  const u32 truncated = away ? bits - 1 : bits;
  return std::bit_cast<float>(inexact ? truncated | 1 : bits);
}

/// a * b + c, rounded to odd in double: the product of two 16-bit formats is exact there, the sum may not be.
inline double fma_to_odd(float a, float b, float c) {
  const double product = static_cast<double>(a) * b;
  const double sum = product + c;
  const double part = sum - product;
  const double error = (product - (sum - part)) + (c - part);
  const u64 bits = std::bit_cast<u64>(sum);
  const bool fix = error != 0 && (bits & 1) == 0 && sum - sum == 0;
  const bool away = (error < 0) == (sum > 0);
  const u64 odd = away ? bits - 1 : bits + 1;
  return std::bit_cast<double>(fix ? odd : bits);
}

/// The 8-bit formats: 4 exponent bits, bias 7, no infinity, NaN 0x7f; and 5 exponent bits, bias 15, like a short half.
struct E4m3 {
  static float to_float(u8 v) {
    const u32 magnitude = v & 0x7f;
    const float scaled = std::bit_cast<float>(magnitude << 20) * 0x1p120f;
    const u32 bits = magnitude == 0x7f ? 0x7fffffffu : std::bit_cast<u32>(scaled);
    return std::bit_cast<float>(bits | static_cast<u32>(v & 0x80) << 24);
  }
  /// Rounds to nearest even; .satfinite: values out of range become 448, NaN remains NaN.
  static u8 from_float(float value) {
    const u32 bits = std::bit_cast<u32>(value);
    const u32 magnitude = bits & 0x7fffffffu;
    const u32 sign = bits >> 24 & 0x80;
    if (magnitude > 0x7f800000u) return static_cast<u8>(0x7f);
    if (magnitude >= 0x43e80000u) return static_cast<u8>(sign | 0x7e);  // 464 and above
    if (magnitude < 0x3c800000u) {                                      // below 2^-6: steps of 2^-9
      const float shifted = std::bit_cast<float>(magnitude) + 0x1p14f;
      return static_cast<u8>(sign | (std::bit_cast<u32>(shifted) - std::bit_cast<u32>(0x1p14f)));
    }
    const u32 rounded = magnitude + 0x7ffffu + (magnitude >> 20 & 1);
    return static_cast<u8>(sign | ((rounded >> 20) - (120u << 3)));
  }
};
struct E5m2 {
  static float to_float(u8 v) { return Half::to_float(static_cast<u16>(v << 8)); }
  /// To nearest even; .satfinite: too large becomes 57344.
  static u8 from_float(float value) {
    const u32 bits = std::bit_cast<u32>(value);
    const u32 magnitude = bits & 0x7fffffffu;
    const u32 sign = bits >> 24 & 0x80;
    if (magnitude > 0x7f800000u) return static_cast<u8>(0x7f);
    if (magnitude >= 0x47700000u) return static_cast<u8>(sign | 0x7b);  // 61440 and above
    if (magnitude < 0x38800000u) {                                      // below 2^-14: steps of 2^-16
      const float shifted = std::bit_cast<float>(magnitude) + 0x1p7f;
      return static_cast<u8>(sign | (std::bit_cast<u32>(shifted) - std::bit_cast<u32>(0x1p7f)));
    }
    const u32 rounded = magnitude + 0xfffffu + (magnitude >> 21 & 1);
    return static_cast<u8>(sign | ((rounded >> 21) - (112u << 2)));
  }
};

}  // namespace vgpu::VGPU_LEVEL
