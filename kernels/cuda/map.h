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
  /// Channels that a pixel stores, padding included: the map's producer writes channels [channels, block) as zeros. A
  /// slice of a wider tensor has no padding of its own, so there block == channels.
  std::int32_t block = 0;
  /// 1 where the base address and the strides are multiples of 16 bytes, so that channels from a multiple of 16 bytes
  /// on can be read and written with 16-byte accesses.
  std::int32_t aligned = 0;
};

}  // namespace maskrt::kernels::cuda
