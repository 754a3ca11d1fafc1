// A network's stem, 7 x 7 convolution and max pooling, in one launch: the convolution's map, the largest of the
// network, is never written to global memory.
#pragma once

#include <span>

#include "kernels/activation.h"
#include "kernels/cuda/launch.h"
#include "kernels/tensor.h"

namespace maskrt::kernels {

/// Whether stem_pool_cuda computes a convolution with weights of this shape [O, I, kh, kw]: I <= 4, kh = kw = 7.
bool fits_stem(const Shape& weight);

/// Packs weights [O, I, 7, 7] to fp16 in the layout that stem_pool_cuda reads (stem_pool_params.h). Throws Error for
/// other shapes.
std::vector<std::byte> pack_stem_weight(const Shape& shape, std::span<const float> weight);

struct StemWeights {
  const void* packed = nullptr;  ///< result of pack_stem_weight in device memory, aligned to 16 bytes
  const float* scale = nullptr;  ///< [O] in device memory, or null
  const float* bias = nullptr;   ///< [O] in device memory, or null
};

/// out = maxpool(activation(conv(in) * scale + bias)): convolution 7 x 7, stride 2, padding 3; max pool 3 x 3, stride
/// 2, padding 1.
/// in [B, H, W, up to 4], NHWC, stored as 4 channels a pixel, missing ones zero; out [B, H'', W'', O], NHWC. fp16 both;
/// accumulated in fp32 and rounded to fp16 before pooling, so that the bits are those of two separate launches.
/// `in` is aligned to 8 bytes; 16-byte stores where out's base and strides are multiples of 16 bytes. out must not
/// alias `in`. No workspace. Padding channels of out are written as zeros. One launch; bound by tensor cores and the
/// epilogue.
/// Throws Error where shapes, types or alignment are not these, or the activation is not short (activation.h).
void stem_pool_cuda(CudaQueue& queue, const Tensor& in, const StemWeights& weights, Activation activation,
                    const Tensor& out);

}  // namespace maskrt::kernels
