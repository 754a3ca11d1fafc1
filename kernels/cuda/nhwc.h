// What CUDA launchers ask of the maps that they are given.
#pragma once

#include <cstdint>
#include <string>

#include "../tensor.h"

namespace maskrt::kernels {

/// "fp16 [2, 20, 27, 256]", for error messages.
inline std::string describe(const Tensor& t) {
  return std::string(name_of(t.type)) + " " + to_string(Shape{t.batch, t.height, t.width, t.channels});
}

/// Throws Error where the channels of a pixel do not lie side by side. A slice of a wider map is NHWC too.
inline void require_nhwc(const Tensor& t, const char* where) {
  if (t.block != t.channels)
    throw Error(std::string(where) + ": expected NHWC, found blocks of " + std::to_string(t.block) + " channels in " +
                describe(t));
}

/// Throws Error where two maps differ in shape or type.
inline void require_alike(const Tensor& a, const Tensor& b, const char* where) {
  if (a.type != b.type || a.batch != b.batch || a.height != b.height || a.width != b.width || a.channels != b.channels)
    throw Error(std::string(where) + ": expected " + describe(a) + ", found " + describe(b));
}

/// Whether every pixel of an NHWC map divides into vectors of 16 bytes that are aligned to as many.
inline bool in_vectors_of_16_bytes(const Tensor& t) {
  const auto elements = static_cast<std::int64_t>(16 / size_of(t.type));
  return reinterpret_cast<std::uintptr_t>(t.data) % 16 == 0 && t.channels % elements == 0 &&
         t.pixel_stride % elements == 0 && t.batch_stride % elements == 0;
}

}  // namespace maskrt::kernels
