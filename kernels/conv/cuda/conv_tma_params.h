// Parameters of the convolution kernels of sm_90a. Read by host and device code.
#pragma once

#include "conv_params.h"
#include "kernels/cuda/tensor_map.h"

namespace maskrt::kernels {

struct ConvTmaParams {
  TensorMap pixels;   // `in` in im2col mode: a tile's pixels by 64 channels of one tap, 128-byte swizzle
  TensorMap weights;  // weights in tile mode: half a tile's output channels by 64 elements of depth, 128-byte swizzle
  ConvParams conv;
  int channel_steps;   // steps of one tap, 64 channels each
  int cluster_splits;  // split-K factor within a cluster, which has one pair of blocks for each split
  int work_items;      // number of work items: pairs of neighbouring pixel tiles x conv.splits
  cuda::Divisor splits, group_pairs, column_tiles;  // conv.splits; pairs of tiles of a group; conv.column_tiles
  cuda::Divisor slices;                             // of the depth: conv.splits * cluster_splits
  int clusters;                                     // clusters of the launch
};

}  // namespace maskrt::kernels
