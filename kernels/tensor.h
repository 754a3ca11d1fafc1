// How kernels see a feature map in memory.
#pragma once

#include <cstdint>

#include "maskrt/types.hpp"

namespace maskrt::kernels {

/// A map [batch, height, width, channels] whose channels lie in blocks. Element (b, y, x, c) is
///   data[b * batch_stride + (c / block) * block_stride + (y * width + x) * pixel_stride + c % block].
/// block == 1 with pixel_stride 1 is planar (NCHW); block == channels is NHWC; block 8 or 16 is what oneDNN computes in
/// (the last block is then padded with zeros). Strides count elements. Does not own its memory.
struct Tensor {
  void* data = nullptr;
  DataType type = DataType::f32;
  std::int64_t batch = 0, height = 0, width = 0, channels = 0;
  std::int64_t block = 0;
  std::int64_t batch_stride = 0, block_stride = 0, pixel_stride = 0;

  template <typename T>
  T* as() const {
    return static_cast<T*>(data);
  }
  std::int64_t blocks() const { return (channels + block - 1) / block; }
  std::int64_t index(std::int64_t b, std::int64_t y, std::int64_t x, std::int64_t c) const {
    return b * batch_stride + (c / block) * block_stride + (y * width + x) * pixel_stride + c % block;
  }
  /// Bytes of a tensor of its own (not a slice), padding included.
  std::size_t bytes() const { return static_cast<std::size_t>(batch * batch_stride) * size_of(type); }
};

/// A dense tensor of that shape and blocking. block 0 means NHWC.
inline Tensor dense(void* data, DataType type, std::int64_t batch, std::int64_t height, std::int64_t width,
                    std::int64_t channels, std::int64_t block) {
  Tensor t{data, type, batch, height, width, channels, block == 0 ? channels : block, 0, 0, 0};
  t.pixel_stride = t.block;
  t.block_stride = height * width * t.block;
  t.batch_stride = t.blocks() * t.block_stride;
  return t;
}

}  // namespace maskrt::kernels
