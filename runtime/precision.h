// What a network computes in: one table for the runtime's word, the public interface's and people's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string_view>

#include "maskrt/maskrt.hpp"

namespace maskrt {

/// What numbers are multiplied in. They are added in fp32 always.
enum class Precision : std::uint8_t {
  fp32,
  bf16,
  fp16,
  tf32,  ///< stored in fp32, multiplied with 10 bits of mantissa
};

struct PrecisionEntry {
  Precision precision;
  Compute compute;
  DataType stored;  ///< what its factors are stored in
  std::string_view name;
};

/// In the order of Precision.
inline constexpr PrecisionEntry kPrecisions[] = {
    {Precision::fp32, Compute::fp32, DataType::f32, "fp32"},
    {Precision::bf16, Compute::bf16, DataType::bf16, "bf16"},
    {Precision::fp16, Compute::fp16, DataType::f16, "fp16"},
    {Precision::tf32, Compute::tf32, DataType::f32, "tf32"},
};

constexpr const PrecisionEntry& entry_of(Precision precision) {
  return kPrecisions[static_cast<std::size_t>(precision)];
}
constexpr bool are_in_order() {
  for (std::size_t i = 0; i < std::size(kPrecisions); ++i)
    if (kPrecisions[i].precision != static_cast<Precision>(i)) return false;
  return true;
}
static_assert(are_in_order() && std::size(kPrecisions) == static_cast<std::size_t>(Precision::tf32) + 1);

/// "fp32", "bf16", "fp16", "tf32"
constexpr std::string_view name_of(Precision precision) { return entry_of(precision).name; }
/// The type that holds the factors of a product in this precision.
constexpr DataType stored_in(Precision precision) { return entry_of(precision).stored; }
constexpr Compute compute_of(Precision precision) { return entry_of(precision).compute; }

/// Nothing for a name that is none.
constexpr std::optional<Precision> precision_named(std::string_view name) {
  for (const PrecisionEntry& entry : kPrecisions)
    if (entry.name == name) return entry.precision;
  return std::nullopt;
}

/// Nothing for Compute::automatic, and for numbers that are none of the enumeration.
constexpr std::optional<Precision> precision_of(Compute compute) {
  for (const PrecisionEntry& entry : kPrecisions)
    if (entry.compute == compute) return entry.precision;
  return std::nullopt;
}

/// "auto", "fp32", "bf16", "fp16", "tf32"
constexpr std::string_view name_of(Compute compute) {
  const std::optional<Precision> precision = precision_of(compute);
  return precision ? name_of(*precision) : "auto";
}

}  // namespace maskrt
