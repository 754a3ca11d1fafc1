// Depthwise convolution with its epilogue on a CUDA device: every channel by itself. The formula is conv_ref's.
#pragma once

#include <cstddef>
#include <vector>

#include "kernels/conv/conv.h"
#include "kernels/cuda/launch.h"

namespace maskrt::kernels {

/// The weights of a depthwise convolution as its kernels read them: factors and biases of all channels in fp32, each as
/// a row of the first and, in fp16, a row of the second fours of channels of every 16 bytes, and then all channels of
/// one tap after the other in `type`. Channels are filled up with zeros to a multiple of 16 bytes.
/// weight [C, 1, kh, kw]; factors and biases [C], or empty, which is 1 and 0. Throws Error where `type` is neither fp32
/// nor fp16.
std::vector<std::byte> pack_depthwise_weight(DataType type, const Shape& shape, const std::vector<float>& weight,
                                             const std::vector<float>& factors, const std::vector<float>& biases);

/// Whether a convolution's output channels are each made of one input channel alone, which is not another's as well.
inline bool is_depthwise(const ConvGeometry& geometry, std::int64_t in_channels, std::int64_t out_channels) {
  return geometry.groups == in_channels && in_channels == out_channels;
}

/// out = activation(conv(in, weight) * factor[c] + bias[c]); `slope` is the negative slope of leaky ReLU.
/// in [B, H, W, C], out [B, H', W', C], NHWC; `weights` as pack_depthwise_weight() has them, on the device, for C
/// channels in the type of `in`. geometry.groups is C.
/// fp32 or fp16, one type; computed in fp32 in a fixed order and rounded once. GELU is within 2^-23 (1 + |x|).
/// weights are aligned to 16 bytes. Elements may have any alignment; fast where base addresses and strides of both maps
/// are multiples of 16 bytes and a pixel's last 16 bytes belong to it.
/// out must not alias in. No workspace. Padding channels of in may hold anything, those of out are written as zeros.
/// Any kernel, stride, padding and dilation; 3 x 3 with stride and dilation 1 reads each pixel about three times from
/// L1, others each tap. At most 65535 images, 2^31 threads along the positions of one.
/// One launch. Bound by memory; with GELU as much by the multiply-adds.
/// Throws Error where shapes or types are not these.
void depthwise_conv_cuda(CudaQueue& queue, const ConvGeometry& geometry, const Tensor& in, const void* weights,
                         Activation activation, const Tensor& out, float slope = 0);

/// Predicted seconds of that launch (conv_cost.h): the slower of memory, which reads and writes each map once, and the
/// arithmetic.
double predicted_depthwise_seconds(const ConvGeometry& geometry, const Tensor& out, Activation activation,
                                   const Chip& chip);

}  // namespace maskrt::kernels
