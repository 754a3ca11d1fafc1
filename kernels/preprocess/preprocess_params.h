// Parameters of the kernels of preprocess.cu.
#pragma once

#include <cstdint>

#include "kernels/cuda/map.h"

namespace maskrt::kernels::cuda {

/// One image and the size it is resized to: what changes from call to call. An array of these in device memory is read
/// when the kernel runs.
struct ImageToResize {
  const std::uint8_t* pixels;  ///< device memory
  std::int64_t row_stride;     ///< bytes
  std::int32_t width, height;
  std::int32_t resized_width, resized_height;
  std::int32_t pixel_bytes;  ///< 3; 1 for grey
  std::int32_t reversed;     ///< 1 where the network expects the channels in reverse order
};

/// Output pixels of a block; source rows and columns of a chunk in shared memory.
constexpr int kPreprocessTileWidth = 32, kPreprocessTileHeight = 32;
constexpr int kPreprocessRows = 32, kPreprocessColumns = 128;
constexpr int kPreprocessThreads = 256;

struct PreprocessParams {
  const ImageToResize* images;  ///< one for each image of the batch
  Map out;
  float mean[3], std[3];
  float inverse[3];      ///< 1 / std
  std::int32_t divides;  ///< 1: divide, since multiplying by `inverse` with one correction is not exact for all bytes
};

}  // namespace maskrt::kernels::cuda
