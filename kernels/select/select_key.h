// Scores and their positions as integers whose order is the order of select_top. Read by host and device code.
#pragma once

#include <cstdint>

namespace maskrt::kernels {

inline constexpr int kPositionBits = 24, kSelectKeyBits = 32 + kPositionBits;

/// The bits of a float as an unsigned integer of the same order: -0 as 0, what is no number as the least.
constexpr std::uint32_t ordered_bits(std::uint32_t bits) {
  constexpr std::uint32_t sign = 0x80000000u, infinity = 0x7f800000u;
  if ((bits & ~sign) > infinity) return 0;
  if (bits == sign) bits = 0;
  return (bits & sign) != 0 ? ~bits : bits | sign;
}

/// Larger for what comes first: the larger score, of equal ones the lower position. No two positions have one key.
constexpr std::uint64_t select_key(std::uint32_t score_bits, int position) {
  constexpr std::uint32_t last = (std::uint32_t{1} << kPositionBits) - 1;
  return std::uint64_t{ordered_bits(score_bits)} << kPositionBits | (last - static_cast<std::uint32_t>(position));
}

constexpr int position_of(std::uint64_t key) {
  constexpr std::uint32_t last = (std::uint32_t{1} << kPositionBits) - 1;
  return static_cast<int>(last - (static_cast<std::uint32_t>(key) & last));
}

}  // namespace maskrt::kernels
