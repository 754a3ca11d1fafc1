// Parameters of the kernels of preprocess.cu.
#pragma once

#include <cstdint>

#include "kernels/cuda/map.h"

namespace maskrt::kernels::cuda {

/// What changes from call to call, in device memory: one image and the size it is resized to.
struct ImageToResize {
  const std::uint8_t* pixels;  ///< device memory
  std::int64_t row_stride;     ///< bytes
  std::int32_t width, height;
  std::int32_t resized_width, resized_height;
  std::int32_t pixel_bytes;  ///< 3, or 1: grey
  std::int32_t reversed;     ///< 1 where the network wants the channels the other way round
};

/// Output pixels of one block, source rows and columns that it holds at a time.
constexpr int kPreprocessTileWidth = 32, kPreprocessTileHeight = 32;
constexpr int kPreprocessRows = 32, kPreprocessColumns = 128;
constexpr int kPreprocessThreads = 256;

struct PreprocessParams {
  const ImageToResize* images;  ///< one for each image of the batch
  Map out;
  float mean[3], std[3];
  float inverse[3];      ///< 1 / std
  std::int32_t divides;  ///< 1 where a product with the inverse, corrected once, is not the quotient for every byte
};

}  // namespace maskrt::kernels::cuda
