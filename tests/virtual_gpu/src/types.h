// The words that every part of the virtual GPU shares: PTX's fundamental types and its error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace vgpu {

/// What cannot be parsed, decoded or launched; what() is one sentence that shows the text and its line.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// PTX ISA, 5.2 "Types". Packed and alternate formats included.
enum class Type : std::uint8_t {
  none,
  pred,
  b8,
  b16,
  b32,
  b64,
  b128,
  u8,
  u16,
  u32,
  u64,
  s8,
  s16,
  s32,
  s64,
  f16,
  f16x2,
  bf16,
  bf16x2,
  tf32,
  f32,
  f64,
  e4m3,
  e5m2,
  e4m3x2,
  e5m2x2,
  u4,
  s4,
  b1,
  u16x2,
  s16x2,
};

/// Bytes of one value; a predicate and the types below a byte count as one.
constexpr std::uint32_t size_of(Type type) {
  switch (type) {
    case Type::none:
      return 0;
    case Type::pred:
    case Type::b8:
    case Type::u8:
    case Type::s8:
    case Type::e4m3:
    case Type::e5m2:
    case Type::u4:
    case Type::s4:
    case Type::b1:
      return 1;
    case Type::b16:
    case Type::u16:
    case Type::s16:
    case Type::f16:
    case Type::bf16:
    case Type::e4m3x2:
    case Type::e5m2x2:
      return 2;
    case Type::b32:
    case Type::u32:
    case Type::s32:
    case Type::f32:
    case Type::tf32:
    case Type::f16x2:
    case Type::bf16x2:
    case Type::u16x2:
    case Type::s16x2:
      return 4;
    case Type::b64:
    case Type::u64:
    case Type::s64:
    case Type::f64:
      return 8;
    case Type::b128:
      return 16;
  }
  return 0;
}

constexpr bool is_signed(Type type) {
  return type == Type::s8 || type == Type::s16 || type == Type::s32 || type == Type::s64;
}

constexpr bool is_float(Type type) {
  return type == Type::f16 || type == Type::f16x2 || type == Type::bf16 || type == Type::bf16x2 || type == Type::tf32 ||
         type == Type::f32 || type == Type::f64;
}

/// The type that a modifier such as "u32" names; none where it names no type.
Type type_from(std::string_view name);
/// "u32", "f16x2", ...
std::string_view name_of(Type type);

}  // namespace vgpu
