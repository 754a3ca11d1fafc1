// Parameters of the convolution kernels. Read by host and device code.
#pragma once

#include "kernels/activation.h"
#include "kernels/cuda/divisor.h"

namespace maskrt::kernels {

/// Index of a channel within a vector of the coordinate table. In f32: the channel itself. In f16 a thread of the
/// epilogue has eight neighbouring channels and reads them as two float4; channels with channel % 8 < 4 are stored in
/// the first half of the vector and the others in the second, so that both reads of a warp are contiguous.
constexpr int coordinate_index(int channel, int channels, bool f32) {
  return f32 ? channel : channel % 8 / 4 * (channels / 2) + channel / 8 * 4 + channel % 4;
}

/// The convolution as an implicit GEMM, once for each group: rows (M) are output pixels (batch, y, x), columns (N) the
/// output channels of one group, the depth (K) is (tap y, tap x, channel). A step is the slice of the depth that one
/// iteration of the main loop multiplies. Strides count elements of their tensor; all tensors except the weights have
/// fewer than 2^31 elements.
struct ConvParams {
  const void* in;
  const void* weights;
  const float* scale;      // [out_channels]; null: 1
  const float* bias;       // [out_channels]; null: 0
  const void* residual;    // null: none
  const int* coordinates;  // null: none; coordinate_table.h
  void* out;
  const void* next_weights;    // weights of the next convolution, prefetched into L2 on sm_90
  unsigned next_weight_bytes;  // a multiple of 16
  float* partials;             // splits > 1: partial sums [tile][split][accumulators of the tile, thread by thread]
  unsigned* counters;          // splits > 1: [tile], zero between launches

  int pixels;           // batch * out_height * out_width
  cuda::Divisor image;  // out_height * out_width
  cuda::Divisor row;    // out_width
  int out_height;
  int height, width;                // extent of `in`
  int kernel_height, kernel_width;  // at most 15 each
  int stride_y, stride_x, padding_y, padding_x, dilation;

  int group_in;      // input channels of a group
  int tap_channels;  // elements of a tap in a row of weights: group_in, padded to 16 bytes
  int depth;         // elements of a row of weights: kernel_height * kernel_width * tap_channels, padded to 128 bytes
  int group_out;     // output channels of a group
  int in_batch_stride, in_pixel_stride;
  int in_wide;  // 1: chunks of 16 bytes (channels from a multiple of 16 bytes on) are aligned in `in`

  int out_channels;      // output channels of all groups
  int out_group_stride;  // elements from a group's first channel in `out` to the next group's; group_out if not padded
  int group_stored;      // channels stored of the last group (of every padded group); zeros from group_out on
  int out_batch_stride, out_pixel_stride;
  int out_vector;  // neighbouring channels that one access may store: 8, 4 or 1
  int out_f32;     // 1: out and residual are f32, 0: f16
  int residual_batch_stride, residual_pixel_stride;
  int residual_shift;   // 1: the residual has half the output's height and width and is upsampled (nearest)
  int residual_vector;  // neighbouring channels that one access may load: 8, 4 or 1
  int plain;            // 1: results are stored as PixelStore does (pixel_store.cuh)
  Activation activation;
  float slope;                           // negative slope of leaky ReLU
  const float *norm_weight, *norm_bias;  // [out_channels]; of kernels that norm, read 16 bytes at a time
  float norm_epsilon;

  int column_tiles;  // column tiles of one group
  int splits;        // split-K factor; of persistent kernels: through global memory
  int steps;         // steps of the whole depth, all splits together
  int in_cluster;    // 1: the splits of a tile are a cluster and add their sums there; partials and counters not used
};

}  // namespace maskrt::kernels
