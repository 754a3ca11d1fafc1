// Tiles of all pictures of a call, over which blocks loop, and samples of mask logits at the pictures' own sizes.
#pragma once

#include "fast_inst_params.h"
#include "kernels/cuda/octet.cuh"
#include "kernels/masks/mask_space.cuh"

namespace maskrt::kernels::cuda {

/// A tile of a picture, by the position of its first pixel.
struct PictureTile {
  int image, x, y;
};

/// The pictures of a call.
class Pictures {
 public:
  __device__ explicit Pictures(const PictureCall* call) : pictures_(reinterpret_cast<const PictureOfCall*>(call + 1)) {}
  __device__ const PictureOfCall& operator[](int image) const { return pictures_[image]; }
  /// Tile number `tile`, which is `columns` by `rows` pixels, from image `from` on.
  __device__ PictureTile tile(int tile, int from, int batch, int columns, int rows) const {
    int image = from;
    while (image + 1 < batch && pictures_[image + 1].first_tile <= tile) ++image;
    const int in_image = tile - pictures_[image].first_tile, across = pictures_[image].tiles_across;
    const int down = in_image / across;
    return {image, (in_image - down * across) * columns, down * rows};
  }

 private:
  const PictureOfCall* pictures_;
};

/// One query's logits of one image, in a map of all queries.
template <typename T>
struct QueryLogits {
  const T* first;
  int height, width, pixel_stride;

  __device__ QueryLogits(const Map& masks, int b, int query)
      : first(pixel_of<const T>(masks, b, 0) + query),
        height(masks.height),
        width(masks.width),
        pixel_stride(masks.pixel_stride) {}
  /// Positions beyond the end repeat it: their weight is 0.
  __device__ float at(int y, int x) const {
    return widen(first[static_cast<std::int64_t>(min(y, height - 1) * width + min(x, width - 1)) * pixel_stride]);
  }
  /// Three neighbours of a column, blended.
  __device__ float column(const ComposedTap& rows, int x) const {
    float sum = 0;
#pragma unroll
    for (int j = 0; j < ComposedTap::taps; ++j) sum += at(rows.first + j, x) * rows.weight[j];
    return sum;
  }
  /// Of the map resized once.
  __device__ float resized(const AxisTap& row, const AxisTap& column) const {
    const float top = at(row.low, column.low) * (1 - column.weight) + at(row.low, column.high) * column.weight;
    const float bottom = at(row.high, column.low) * (1 - column.weight) + at(row.high, column.high) * column.weight;
    return top * (1 - row.weight) + bottom * row.weight;
  }
};

__device__ inline float probability_of_logit(float logit) { return probability_of(logit * kToExponent); }

}  // namespace maskrt::kernels::cuda
