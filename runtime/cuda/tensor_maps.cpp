#include "tensor_maps.h"

#include <cstring>

namespace maskrt::cuda {
namespace {

using kernels::MappedTensor;
using kernels::Swizzle;

CUtensorMapDataType type_of(const MappedTensor& t) {
  switch (t.type) {
    case DataType::f16:
      return CU_TENSOR_MAP_DATA_TYPE_FLOAT16;
    case DataType::bf16:
      return CU_TENSOR_MAP_DATA_TYPE_BFLOAT16;
    case DataType::f32:
      return t.round_to_tf32 ? CU_TENSOR_MAP_DATA_TYPE_TFLOAT32 : CU_TENSOR_MAP_DATA_TYPE_FLOAT32;
    case DataType::i32:
      return CU_TENSOR_MAP_DATA_TYPE_INT32;
    case DataType::u8:
    case DataType::i8:
      return CU_TENSOR_MAP_DATA_TYPE_UINT8;
    default:
      break;
  }
  throw Error("tensor map: expected fp16, bf16, fp32, int32, int8 or uint8, found " + std::string(name_of(t.type)));
}

CUtensorMapSwizzle swizzle_of(Swizzle swizzle) {
  switch (swizzle) {
    case Swizzle::none:
      return CU_TENSOR_MAP_SWIZZLE_NONE;
    case Swizzle::bytes32:
      return CU_TENSOR_MAP_SWIZZLE_32B;
    case Swizzle::bytes64:
      return CU_TENSOR_MAP_SWIZZLE_64B;
    case Swizzle::bytes128:
      return CU_TENSOR_MAP_SWIZZLE_128B;
  }
  return CU_TENSOR_MAP_SWIZZLE_NONE;
}

template <typename T>
std::string list(const T* values, std::uint32_t count) {
  std::string text = "[";
  for (std::uint32_t i = 0; i < count; ++i) text += (i != 0 ? ", " : "") + std::to_string(values[i]);
  return text + "]";
}

std::string describe(const MappedTensor& t) {
  return std::string(name_of(t.type)) + " " + list(t.extents, t.rank) + " with strides of " +
         list(t.strides, t.rank - 1) + " bytes and steps of " + list(t.steps, t.rank);
}

void require_rank(const Context& context, const MappedTensor& t, std::uint32_t least) {
  if (context.chip().compute_capability < 90)
    throw Error("tensor map: expected compute capability 9.0 or newer, found " + context.name());
  if (t.rank < least || t.rank > 5)
    throw Error("tensor map: expected a rank from " + std::to_string(least) + " to 5, found " + std::to_string(t.rank));
}

kernels::TensorMap checked(const Context& context, CUresult status, const CUtensorMap& encoded,
                           const std::string& what) {
  if (status != CUDA_SUCCESS)
    throw DriverError("tensor map of " + what + ": the CUDA driver answered " + context.driver().describe(status),
                      status);
  kernels::TensorMap map;
  static_assert(sizeof map == sizeof encoded);
  std::memcpy(&map, &encoded, sizeof map);
  return map;
}

}  // namespace

kernels::TensorMap encode_tensor_map(const Context& context, const kernels::TiledMap& map) {
  const MappedTensor& t = map.tensor;
  require_rank(context, t, 1);
  CUtensorMap encoded;
  const CUresult status = context.driver().cuTensorMapEncodeTiled.status(
      &encoded, type_of(t), t.rank, const_cast<void*>(t.address), t.extents, t.strides, map.box, t.steps,
      CU_TENSOR_MAP_INTERLEAVE_NONE, swizzle_of(t.swizzle), CU_TENSOR_MAP_L2_PROMOTION_L2_128B,
      CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  return checked(context, status, encoded, describe(t) + " in boxes of " + list(map.box, t.rank));
}

kernels::TensorMap encode_tensor_map(const Context& context, const kernels::Im2colMap& map) {
  const MappedTensor& t = map.tensor;
  require_rank(context, t, 3);
  CUtensorMap encoded;
  const CUresult status = context.driver().cuTensorMapEncodeIm2col.status(
      &encoded, type_of(t), t.rank, const_cast<void*>(t.address), t.extents, t.strides, map.lower, map.upper,
      map.channels, map.pixels, t.steps, CU_TENSOR_MAP_INTERLEAVE_NONE, swizzle_of(t.swizzle),
      CU_TENSOR_MAP_L2_PROMOTION_L2_128B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  return checked(context, status, encoded,
                 describe(t) + " in columns of " + std::to_string(map.pixels) + " pixels and " +
                     std::to_string(map.channels) + " channels between corners " + list(map.lower, t.rank - 2) +
                     " and " + list(map.upper, t.rank - 2));
}

}  // namespace maskrt::cuda
