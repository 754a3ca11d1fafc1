// Parameters of the kernels of linear.cu and linear_mma.cu.
#pragma once

#include "kernels/cuda/map.h"

namespace maskrt::kernels::cuda {

/// The rows of a list, each gathered from segments: element i of row n of image b is
/// data[b * batch_stride + i / segment * segment_stride + n * row_stride + i % segment]. A plain list is one segment.
struct ListRows {
  const float* data;
  std::int64_t batch_stride, segment_stride, row_stride;
  std::int32_t segment;
  std::int32_t rows;      ///< rows of one image
  std::int32_t channels;  ///< elements of one row
  /// 1 where segments are whole slices of 32 elements and each starts at a multiple of 16 bytes.
  std::int32_t aligned;
};

struct LinearParams {
  static constexpr int kMostHeads = 4;
  struct Head {
    const void* weight;  ///< [out.channels, weight_stride]
    const float* bias;   ///< or null
    Map out;
    std::int32_t activation;
    std::int32_t out_f16;
    std::int32_t end_tile;  ///< one past the last column tile of this head; tiles count over all heads
  };
  ListRows in;
  Head heads[kMostHeads];
  std::int32_t batch;
  std::int32_t weight_stride;
};

}  // namespace maskrt::kernels::cuda
