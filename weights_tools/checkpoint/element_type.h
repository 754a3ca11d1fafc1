// What one element of a stored tensor is, in PyTorch's and numpy's files.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "float8.h"
#include "maskrt/types.hpp"

namespace maskrt::weights {

/// The checkpoint formats know more types than the graph does: `type` is empty for those that only pass through, and
/// fp32, which holds all of their numbers, for those of 8 bits.
struct ElementType {
  std::string_view name;
  std::size_t size = 0;  ///< bytes as stored; 0 where it is neither known nor needed (strings, objects, records)
  std::optional<DataType> type;
  Float8 float8 = Float8::none;

  bool is_floating() const {
    return float8 != Float8::none || type == DataType::f64 || type == DataType::f32 || type == DataType::f16 ||
           type == DataType::bf16;
  }
};

namespace element {
inline constexpr ElementType f64{"fp64", 8, DataType::f64};
inline constexpr ElementType f32{"fp32", 4, DataType::f32};
inline constexpr ElementType f16{"fp16", 2, DataType::f16};
inline constexpr ElementType bf16{"bf16", 2, DataType::bf16};
inline constexpr ElementType i64{"int64", 8, DataType::i64};
inline constexpr ElementType i32{"int32", 4, DataType::i32};
inline constexpr ElementType i16{"int16", 2, DataType::i16};
inline constexpr ElementType i8{"int8", 1, DataType::i8};
inline constexpr ElementType u8{"uint8", 1, DataType::u8};
inline constexpr ElementType boolean{"bool", 1, DataType::boolean};
inline constexpr ElementType u16{"uint16", 2, std::nullopt};
inline constexpr ElementType u32{"uint32", 4, std::nullopt};
inline constexpr ElementType u64{"uint64", 8, std::nullopt};
inline constexpr ElementType f8_e4m3fn{"fp8 e4m3fn", 1, DataType::f32, Float8::e4m3fn};
inline constexpr ElementType f8_e5m2{"fp8 e5m2", 1, DataType::f32, Float8::e5m2};
inline constexpr ElementType f8_e4m3fnuz{"fp8 e4m3fnuz", 1, DataType::f32, Float8::e4m3fnuz};
inline constexpr ElementType f8_e5m2fnuz{"fp8 e5m2fnuz", 1, DataType::f32, Float8::e5m2fnuz};
inline constexpr ElementType quantized8{"a quantised type", 1, std::nullopt};
inline constexpr ElementType quantized32{"a quantised type", 4, std::nullopt};
inline constexpr ElementType complex32{"complex32", 4, std::nullopt};
inline constexpr ElementType complex64{"complex64", 8, std::nullopt};
inline constexpr ElementType complex128{"complex128", 16, std::nullopt};
inline constexpr ElementType other{"another type", 0, std::nullopt};
}  // namespace element

}  // namespace maskrt::weights
