// Parameters of the depthwise convolution kernels. Read by host and device code.
#pragma once

#include "kernels/activation.h"
#include "kernels/cuda/divisor.h"
#include "kernels/cuda/map.h"

namespace maskrt::kernels::cuda {

struct DepthwiseTile {
  static constexpr int kThreads = 128;
  static constexpr int kMostRows = 16;  ///< output rows of one thread, one below the other
};

struct DepthwiseParams {
  Map in, out;
  const void* weights;  ///< pack_depthwise_weight()
  Divisor width;        ///< of out
  std::int32_t items;   ///< columns x strips of `rows` output rows: threads along a vector of channels of an image
  std::int32_t rows;    ///< output rows of a thread; depthwise_any: 1
  std::int32_t kernel_height, kernel_width, stride, padding, dilation;
  Activation activation;
  float slope;  ///< negative slope of leaky ReLU
};

}  // namespace maskrt::kernels::cuda
