// What the host tells the convolution kernels. Read by host and device code.
#pragma once

#include "kernels/activation.h"
#include "kernels/cuda/divisor.h"

namespace maskrt::kernels {

/// Where a vector of the coordinate table has a channel. A convolution in f16 has threads with eight neighbours each,
/// for which of each eight the first four are in the vector's first half, the others in its second: either read takes
/// whole stretches. In f32 channels are in order.
constexpr int coordinate_place(int channel, int channels, bool f32) {
  return f32 ? channel : channel % 8 / 4 * (channels / 2) + channel / 8 * 4 + channel % 4;
}

/// The convolution as a GEMM: rows are output pixels (batch, y, x), columns the output channels of one group, depth is
/// (tap y, tap x, channel). Strides count elements of their tensor; all tensors but the weights have fewer than 2^31.
/// A step is what a tile takes of the depth at a time.
struct ConvParams {
  const void* in;
  const void* weights;
  const float* scale;      // of each output channel's sums; null: 1
  const float* bias;       // null: none
  const void* residual;    // null: none
  const int* coordinates;  // null: none; coordinate_table.h
  void* out;
  const void* next_weights;    // what the launch after this one will read
  unsigned next_weight_bytes;  // a multiple of 16
  float* partials;             // splits > 1: [tile][split][what a tile's threads hold]
  unsigned* counters;          // splits > 1: [tile], zero between launches

  int pixels;           // batch * out_height * out_width
  cuda::Divisor image;  // out_height * out_width
  cuda::Divisor row;    // out_width
  int out_height;
  int height, width;                // of in
  int kernel_height, kernel_width;  // at most 15 each
  int stride_y, stride_x, padding_y, padding_x, dilation;

  int group_in;      // channels that a group reads
  int tap_channels;  // the same in a row of weights, padding included
  int depth;         // elements of a row of weights
  int group_out;     // output channels of a group
  int in_batch_stride, in_pixel_stride;
  int in_wide;  // 1: pieces of 16 bytes are aligned

  int out_channels;      // of all groups
  int out_group_stride;  // from a group's first channel to the next's in out; group_out, or more: groups lie apart
  int group_stored;      // of the last group, of each where they lie apart: from group_out to here zeros are stored
  int out_batch_stride, out_pixel_stride;
  int out_vector;  // 8, 4 or 1: neighbouring channels that one access may take
  int out_f32;     // 1: out and residual are f32, 0: f16
  int residual_batch_stride, residual_pixel_stride;
  int residual_shift;  // 1: one residual pixel for 2 x 2
  int residual_vector;
  Activation activation;
  float slope;  // of leaky ReLU

  int column_tiles;  // of one group
  int splits;
  int steps;  // of a tile, all splits together
};

}  // namespace maskrt::kernels
