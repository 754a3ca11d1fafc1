// What the host tells the max-pooling kernels. Read by host and device code.
#pragma once

namespace maskrt::kernels {

/// Strides count elements.
struct MaxPoolParams {
  const void* in;
  void* out;
  int height, width;  ///< of in
  int out_width;      ///< the grid has the other extents of out
  int vectors;        ///< of channels in a pixel
  int kernel, stride, padding;
  long long in_batch_stride, out_batch_stride;
  int in_pixel_stride, out_pixel_stride;
};

}  // namespace maskrt::kernels
