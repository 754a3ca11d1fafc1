// CUDA driver API, 6.30 "Tensor Map Object Management".
#include "driver/objects/driver.h"
#include "driver/objects/tensor_maps.h"

using namespace vgpu::driver;

namespace {

void need_tensor_maps() {
  require(Driver::get().settings().compute_capability >= 90, CUDA_ERROR_NOT_SUPPORTED,
          "expected compute capability 9.0 or higher for tensor maps");
}

}  // namespace

VGPU_API(cuTensorMapEncodeTiled,
         (CUtensorMap * map, CUtensorMapDataType type, cuuint32_t rank, void* address, const cuuint64_t* sizes,
          const cuuint64_t* strides, const cuuint32_t* box, const cuuint32_t* element_strides,
          CUtensorMapInterleave interleave, CUtensorMapSwizzle swizzle, CUtensorMapL2promotion promotion,
          CUtensorMapFloatOOBfill fill),
         (map, type, rank, address, sizes, strides, box, element_strides, interleave, swizzle, promotion, fill)) {
  need_tensor_maps();
  encode_tiled({map, type, rank, address, sizes, strides, element_strides, interleave, swizzle, promotion, fill}, box);
  return CUDA_SUCCESS;
}

VGPU_API(cuTensorMapEncodeIm2col,
         (CUtensorMap * map, CUtensorMapDataType type, cuuint32_t rank, void* address, const cuuint64_t* sizes,
          const cuuint64_t* strides, const int* lower, const int* upper, cuuint32_t channels, cuuint32_t pixels,
          const cuuint32_t* element_strides, CUtensorMapInterleave interleave, CUtensorMapSwizzle swizzle,
          CUtensorMapL2promotion promotion, CUtensorMapFloatOOBfill fill),
         (map, type, rank, address, sizes, strides, lower, upper, channels, pixels, element_strides, interleave,
          swizzle, promotion, fill)) {
  need_tensor_maps();
  encode_im2col({map, type, rank, address, sizes, strides, element_strides, interleave, swizzle, promotion, fill},
                lower, upper, channels, pixels);
  return CUDA_SUCCESS;
}

VGPU_API(cuTensorMapReplaceAddress, (CUtensorMap * map, void* address), (map, address)) {
  need_tensor_maps();
  replace_address(map, address);
  return CUDA_SUCCESS;
}
