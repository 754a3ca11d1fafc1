// cuTensorMapEncode...: arguments checked as the manual asks, then packed as the machine unpacks them.
#pragma once

#include <cuda.h>

#include "machine/tensor_map.h"

namespace vgpu::driver {

/// The arguments that tiled and im2col maps have in common, as the entry points got them.
struct TensorMapArguments {
  CUtensorMap* result;
  CUtensorMapDataType type;
  cuuint32_t rank;
  void* address;
  const cuuint64_t* sizes;
  const cuuint64_t* strides;
  const cuuint32_t* element_strides;
  CUtensorMapInterleave interleave;
  CUtensorMapSwizzle swizzle;
  CUtensorMapL2promotion promotion;
  CUtensorMapFloatOOBfill fill;
};

/// `box`: rank sizes, in elements. Throws Status: CUDA_ERROR_INVALID_VALUE where the manual forbids an argument,
/// CUDA_ERROR_NOT_SUPPORTED for what the virtual GPU doesn't have (interleaving, swizzles and types of later chips).
/// CUDA driver API, 6.30 "Tensor Map Object Management", cuTensorMapEncodeTiled.
void encode_tiled(const TensorMapArguments& arguments, const cuuint32_t* box);

/// `lower` and `upper`: rank - 2 corners. As above, cuTensorMapEncodeIm2col.
void encode_im2col(const TensorMapArguments& arguments, const int* lower, const int* upper, cuuint32_t channels,
                   cuuint32_t pixels);

/// cuTensorMapReplaceAddress.
void replace_address(CUtensorMap* map, void* address);

}  // namespace vgpu::driver
