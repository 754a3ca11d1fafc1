// A network's stem with its pooling, in one launch: the map between, the network's largest, is never written.
#pragma once

#include <span>

#include "kernels/activation.h"
#include "kernels/cuda/launch.h"
#include "kernels/tensor.h"

namespace maskrt::kernels {

/// Whether stem_pool_cuda can do a convolution of these weights [O, I, H, W]: 7 x 7, of at most 4 channels.
bool fits_stem(const Shape& weight);

/// f16 weights as stem_pool_cuda reads them, from [O, I, 7, 7].
std::vector<std::byte> pack_stem_weight(const Shape& shape, std::span<const float> weight);

struct StemWeights {
  const void* packed = nullptr;  ///< by pack_stem_weight, aligned to 16 bytes
  const float* scale = nullptr;  ///< [O], or none
  const float* bias = nullptr;   ///< [O], or none
};

/// out = max pool, 3 x 3 of stride 2 and padding 1, of activation(conv(in) * scale + bias), 7 x 7 of stride 2 and
/// padding 3, rounded to f16 between as two launches would. in [B, H, W, up to 4] is f16 with pixels of four channels,
/// aligned to 8 bytes, those that it has not are zeros; out [B, H', W', O] is f16. They do not overlap. One launch.
/// Throws Error where the maps are not these.
void stem_pool_cuda(CudaQueue& queue, const Tensor& in, const StemWeights& weights, Activation activation,
                    const Tensor& out);

}  // namespace maskrt::kernels
