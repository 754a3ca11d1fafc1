// The vocabulary that every layer of maskrt shares: data types, shapes and errors.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#if defined(_WIN32)
#define MASKRT_API
#else
#define MASKRT_API __attribute__((visibility("default")))
#endif

namespace maskrt {

/// What a call throws when it cannot do what it was asked: what() is one sentence that says what was expected,
/// what was found and where. A call that throws leaves the objects it was called on usable.
class MASKRT_API Error : public std::runtime_error {
 public:
  /// Names out of files may hold characters that end a C string or steer a terminal: what() has '?' in their place.
  explicit Error(std::string message) : std::runtime_error(printable(std::move(message))) {}

 private:
  static std::string printable(std::string text) {
    for (char& c : text)
      if ((static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7f) c = '?';
    return text;
  }
};

/// How one element of a tensor is stored.
enum class DataType : std::uint8_t { f64, f32, f16, bf16, i64, i32, i16, i8, u8, boolean };

/// Bytes of one element.
constexpr std::size_t size_of(DataType type) {
  switch (type) {
    case DataType::f64:
    case DataType::i64:
      return 8;
    case DataType::f32:
    case DataType::i32:
      return 4;
    case DataType::f16:
    case DataType::bf16:
    case DataType::i16:
      return 2;
    case DataType::i8:
    case DataType::u8:
    case DataType::boolean:
      return 1;
  }
  return 0;
}

/// "fp32", "bf16", "int64", ...
constexpr std::string_view name_of(DataType type) {
  switch (type) {
    case DataType::f64:
      return "fp64";
    case DataType::f32:
      return "fp32";
    case DataType::f16:
      return "fp16";
    case DataType::bf16:
      return "bf16";
    case DataType::i64:
      return "int64";
    case DataType::i32:
      return "int32";
    case DataType::i16:
      return "int16";
    case DataType::i8:
      return "int8";
    case DataType::u8:
      return "uint8";
    case DataType::boolean:
      return "bool";
  }
  return "unknown";
}

/// The extents of a tensor, outermost first.
using Shape = std::vector<std::int64_t>;

/// The product of the extents; 1 for a scalar. Overflow is the caller's to rule out.
constexpr std::int64_t elements(const Shape& shape) {
  std::int64_t n = 1;
  for (const auto extent : shape) n *= extent;
  return n;
}

/// "[256, 64, 1, 1]"
inline std::string to_string(const Shape& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i != 0) text += ", ";
    text += std::to_string(shape[i]);
  }
  return text + "]";
}

/// One IEEE 754 binary16 number, widened exactly.
constexpr float float_from_f16(std::uint16_t bits) {
  const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000u) << 16;
  const std::uint32_t exponent = (bits >> 10) & 0x1fu;
  std::uint32_t fraction = bits & 0x3ffu;
  if (exponent == 0x1f) return std::bit_cast<float>(sign | 0x7f800000u | (fraction << 13));
  if (exponent != 0) return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (fraction << 13));
  const float magnitude = static_cast<float>(fraction) * 0x1p-24f;  // subnormal, exact
  return sign != 0 ? -magnitude : magnitude;
}

/// One bfloat16 number, widened exactly.
constexpr float float_from_bf16(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

/// Rounded to nearest, ties to even; NaN stays NaN.
constexpr std::uint16_t bf16_from_float(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<std::uint16_t>((bits >> 16) | 0x40u);
  return static_cast<std::uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

/// Rounded to nearest, ties to even; too large becomes infinite, NaN stays NaN.
constexpr std::uint16_t f16_from_float(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000u);
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return static_cast<std::uint16_t>(sign | 0x7e00u);
  if (magnitude >= 0x477ff000u) return static_cast<std::uint16_t>(sign | 0x7c00u);  // 65520 and more
  if (magnitude < 0x38800000u) {
    // Subnormal: 2^-24 becomes the last place of a number whose last place is 1, and the addition rounds.
    const float shifted = std::bit_cast<float>(magnitude) * 0x1p24f + 0x1p23f;
    return static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(shifted) & 0x7ffu));
  }
  const std::uint32_t rounded = magnitude + 0xfffu + ((magnitude >> 13) & 1u);
  return static_cast<std::uint16_t>(sign | ((rounded - 0x38000000u) >> 13));
}

/// What can be found in a picture.
enum class Task : std::uint8_t {
  instances,  ///< scored objects with masks that may overlap
  semantic,   ///< a class for every pixel
  panoptic,   ///< segments that do not overlap: things one by one, stuff by class
};

/// "instances", "semantic", "panoptic"
constexpr std::string_view name_of(Task task) {
  switch (task) {
    case Task::instances:
      return "instances";
    case Task::semantic:
      return "semantic";
    case Task::panoptic:
      return "panoptic";
  }
  return "unknown";
}

/// One class of the dataset a model was trained on.
struct Category {
  int id = 0;  ///< the dataset's id (COCO's are 1 to 90 with gaps)
  std::string name;
  bool is_thing = true;               ///< false for panoptic "stuff"
  std::uint8_t color[3] = {0, 0, 0};  ///< RGB; all zero where the dataset names none
};

}  // namespace maskrt
