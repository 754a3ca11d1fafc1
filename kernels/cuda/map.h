// A feature map as the CUDA kernels see it: plain C++, read by both compilers and passed inside kernel parameters.
#pragma once

#include <cstdint>

namespace maskrt::kernels::cuda {

/// NHWC: element (b, y, x, c) is data[b * batch_stride + (y * width + x) * pixel_stride + c]. Strides count elements.
struct Map {
  void* data = nullptr;
  std::int64_t batch_stride = 0;
  std::int32_t pixel_stride = 0;
  std::int32_t height = 0, width = 0, channels = 0;
  /// Channels that belong to this map: those from `channels` on are zeros that its producer writes. A slice of a wider
  /// tensor has none.
  std::int32_t block = 0;
  /// 1 where eight channels that start at a multiple of eight can be moved by 16-byte accesses.
  std::int32_t aligned = 0;
};

}  // namespace maskrt::kernels::cuda
