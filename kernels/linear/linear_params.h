// Parameters of the kernels of linear.cu and linear_mma.cu.
#pragma once

#include "kernels/cuda/map.h"

namespace maskrt::kernels::cuda {

/// The rows of a list, each in segments: element i of row n of image b is
/// data[b * batch_stride + i / segment * segment_stride + n * row_stride + i % segment].
struct ListRows {
  const float* data;
  std::int64_t batch_stride, segment_stride, row_stride;
  std::int32_t segment;
  std::int32_t rows;      ///< of one image
  std::int32_t channels;  ///< of one row
  std::int32_t
      aligned;  ///< 1 where eight elements from a multiple of eight on are in one segment and aligned to 16 bytes
};

struct LinearParams {
  static constexpr int most_heads = 4;
  struct Head {
    const void* weight;  ///< [out.channels, weight_stride]
    const float* bias;   ///< or null
    Map out;
    std::int32_t activation;
    std::int32_t out_f16;
    std::int32_t end_tile;  ///< the column tiles of this head end here
  };
  ListRows in;
  Head heads[most_heads];
  std::int32_t batch;
  std::int32_t weight_stride;
};

}  // namespace maskrt::kernels::cuda
