// Access to single elements of a tensor of any type: for references and loops that are not performance critical.
#pragma once

#include "tensor.h"

namespace maskrt::kernels {

/// f32, bf16 or f16, widened; i32, exact up to 2^24.
inline float get(const Tensor& t, std::int64_t b, std::int64_t y, std::int64_t x, std::int64_t c) {
  const std::int64_t i = t.index(b, y, x, c);
  if (t.type == DataType::bf16) return float_from_bf16(t.as<std::uint16_t>()[i]);
  if (t.type == DataType::f16) return float_from_f16(t.as<std::uint16_t>()[i]);
  if (t.type == DataType::i32) return static_cast<float>(t.as<std::int32_t>()[i]);
  return t.as<float>()[i];
}

/// Rounded to the tensor's type; i32 takes what it holds exactly.
inline void set(const Tensor& t, std::int64_t b, std::int64_t y, std::int64_t x, std::int64_t c, float value) {
  const std::int64_t i = t.index(b, y, x, c);
  if (t.type == DataType::bf16) {
    t.as<std::uint16_t>()[i] = bf16_from_float(value);
  } else if (t.type == DataType::f16) {
    t.as<std::uint16_t>()[i] = f16_from_float(value);
  } else if (t.type == DataType::i32) {
    t.as<std::int32_t>()[i] = static_cast<std::int32_t>(value);
  } else {
    t.as<float>()[i] = value;
  }
}

/// Calls f(b, y, x, c) for every element, channels innermost.
template <typename F>
void for_each_element(const Tensor& t, F&& f) {
  for (std::int64_t b = 0; b < t.batch; ++b)
    for (std::int64_t y = 0; y < t.height; ++y)
      for (std::int64_t x = 0; x < t.width; ++x)
        for (std::int64_t c = 0; c < t.channels; ++c) f(b, y, x, c);
}

/// The tensor with channels up to the end of its last block: the padding is computed like any channel.
inline Tensor padded(Tensor t) {
  t.channels = t.blocks() * t.block;
  return t;
}

/// Image b alone.
inline Tensor image_of(const Tensor& t, std::int64_t b) {
  Tensor image = t;
  image.data = static_cast<std::byte*>(t.data) + b * t.batch_stride * static_cast<std::int64_t>(size_of(t.type));
  image.batch = 1;
  return image;
}

}  // namespace maskrt::kernels
