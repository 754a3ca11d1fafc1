// Floating-point numbers of 8 bits, as PyTorch and the Open Compute Project define them.
#pragma once

#include <cstdint>

namespace maskrt::weights {

/// "fn": finite, no infinity; "uz": no negative zero, whose code is the one NaN.
enum class Float8 : std::uint8_t { none, e4m3fn, e5m2, e4m3fnuz, e5m2fnuz };

/// The number that a code means; every one is exact in fp32.
float float_from_float8(Float8 format, std::uint8_t code);

}  // namespace maskrt::weights
