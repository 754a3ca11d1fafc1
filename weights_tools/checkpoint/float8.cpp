#include "float8.h"

#include <cmath>
#include <limits>

namespace maskrt::weights {

float float_from_float8(Float8 format, std::uint8_t code) {
  const bool unsigned_zero = format == Float8::e4m3fnuz || format == Float8::e5m2fnuz;
  const int mantissa_bits = format == Float8::e4m3fn || format == Float8::e4m3fnuz ? 3 : 2;
  const int bias = (mantissa_bits == 3 ? 7 : 15) + (unsigned_zero ? 1 : 0);
  const int magnitude = code & 0x7f;
  const int exponent = magnitude >> mantissa_bits, mantissa = magnitude & ((1 << mantissa_bits) - 1);

  constexpr float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  float value;
  if (unsigned_zero && code == 0x80) {
    value = nan;
  } else if (format == Float8::e4m3fn && magnitude == 0x7f) {
    value = nan;
  } else if (format == Float8::e5m2 && exponent == 31) {
    value = mantissa == 0 ? infinity : nan;
  } else {
    const int whole = exponent == 0 ? mantissa : mantissa + (1 << mantissa_bits);  // below 2^-bias: no leading one
    value = std::ldexp(static_cast<float>(whole), (exponent == 0 ? 1 : exponent) - bias - mantissa_bits);
  }
  return (code & 0x80) != 0 ? -value : value;
}

}  // namespace maskrt::weights
