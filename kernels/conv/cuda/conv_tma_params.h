// What the host tells the convolution kernels of sm_90a. Read by host and device code.
#pragma once

#include "kernels/cuda/tensor_map.h"
#include "conv_params.h"

namespace maskrt::kernels {

struct ConvTmaParams {
  TensorMap pixels;   // in, im2col: columns of a tile's pixels, 64 channels each, swizzled in 128 bytes
  TensorMap weights;  // rows of weights: boxes of half a tile's channels by 64 of the depth, swizzled likewise
  ConvParams conv;
  int channel_steps;  // of one tap: 64 channels each
  int parts;          // of a tile's sum within a cluster, which has two blocks for each; 1: none
  int units;          // pairs of tiles that neighbour in pixels, times splits: what clusters share out
  int clusters;       // of the launch
};

}  // namespace maskrt::kernels
