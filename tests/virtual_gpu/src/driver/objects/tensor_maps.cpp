#include "driver/objects/tensor_maps.h"

#include <cstring>

#include "driver/objects/status.h"

namespace vgpu::driver {
namespace {

constexpr std::uint64_t kAddressLimit = std::uint64_t{1} << 48;
constexpr std::uint64_t kSizeLimit = std::uint64_t{1} << 32;
constexpr std::uint64_t kStrideLimit = std::uint64_t{1} << 40;

/// What reductions take an element for; flushing and the rounding of tf32 are not modelled.
Type element_of(CUtensorMapDataType type) {
  switch (type) {
    case CU_TENSOR_MAP_DATA_TYPE_UINT8:
      return Type::u8;
    case CU_TENSOR_MAP_DATA_TYPE_UINT16:
      return Type::u16;
    case CU_TENSOR_MAP_DATA_TYPE_UINT32:
      return Type::u32;
    case CU_TENSOR_MAP_DATA_TYPE_INT32:
      return Type::s32;
    case CU_TENSOR_MAP_DATA_TYPE_UINT64:
      return Type::u64;
    case CU_TENSOR_MAP_DATA_TYPE_INT64:
      return Type::s64;
    case CU_TENSOR_MAP_DATA_TYPE_FLOAT16:
      return Type::f16;
    case CU_TENSOR_MAP_DATA_TYPE_BFLOAT16:
      return Type::bf16;
    case CU_TENSOR_MAP_DATA_TYPE_FLOAT32:
    case CU_TENSOR_MAP_DATA_TYPE_FLOAT32_FTZ:
    case CU_TENSOR_MAP_DATA_TYPE_TFLOAT32:
    case CU_TENSOR_MAP_DATA_TYPE_TFLOAT32_FTZ:
      return Type::f32;
    case CU_TENSOR_MAP_DATA_TYPE_FLOAT64:
      return Type::f64;
    case CU_TENSOR_MAP_DATA_TYPE_16U4_ALIGN8B:
    case CU_TENSOR_MAP_DATA_TYPE_16U4_ALIGN16B:
    case CU_TENSOR_MAP_DATA_TYPE_16U6_ALIGN16B:
      throw Status(CUDA_ERROR_NOT_SUPPORTED,
                   "expected a type of compute capability 9.0, found a packed 4 or 6 bit one");
  }
  throw Status(CUDA_ERROR_INVALID_VALUE, "expected a CUtensorMapDataType, found a number that names none");
}

std::uint32_t swizzle_bytes(CUtensorMapSwizzle swizzle) {
  switch (swizzle) {
    case CU_TENSOR_MAP_SWIZZLE_NONE:
      return 0;
    case CU_TENSOR_MAP_SWIZZLE_32B:
      return 32;
    case CU_TENSOR_MAP_SWIZZLE_64B:
      return 64;
    case CU_TENSOR_MAP_SWIZZLE_128B:
      return 128;
    case CU_TENSOR_MAP_SWIZZLE_128B_ATOM_32B:
    case CU_TENSOR_MAP_SWIZZLE_128B_ATOM_32B_FLIP_8B:
    case CU_TENSOR_MAP_SWIZZLE_128B_ATOM_64B:
      throw Status(CUDA_ERROR_NOT_SUPPORTED, "expected a swizzle of 16-byte atoms, found one of larger atoms");
  }
  throw Status(CUDA_ERROR_INVALID_VALUE, "expected a CUtensorMapSwizzle, found a number that names none");
}

/// Everything that both kinds of map check and keep.
TensorMap common(const TensorMapArguments& a, std::uint32_t least_rank) {
  require_value(a.result != nullptr && reinterpret_cast<std::uintptr_t>(a.result) % 64 == 0,
                "expected a CUtensorMap at a multiple of 64 bytes");
  const Type element = element_of(a.type);
  require_value(a.rank >= least_rank && a.rank <= 5, "expected a tensor of 1 to 5 dimensions, 3 to 5 for im2col");
  require_value(a.interleave <= CU_TENSOR_MAP_INTERLEAVE_32B, "expected a CUtensorMapInterleave");
  require(a.interleave == CU_TENSOR_MAP_INTERLEAVE_NONE, CUDA_ERROR_NOT_SUPPORTED,
          "expected no interleaving, which the virtual GPU doesn't have");
  require_value(a.promotion <= CU_TENSOR_MAP_L2_PROMOTION_L2_256B, "expected a CUtensorMapL2promotion");
  require_value(a.fill <= CU_TENSOR_MAP_FLOAT_OOB_FILL_NAN_REQUEST_ZERO_FMA, "expected a CUtensorMapFloatOOBfill");
  require_value(a.fill == CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE || is_float(element),
                "expected a floating-point type where the fill is NaN");
  const auto address = reinterpret_cast<std::uint64_t>(a.address);
  require_value(address != 0 && address % 16 == 0 && address < kAddressLimit,
                "expected a global address that is a multiple of 16 bytes, below 2^48");
  require_value(a.sizes != nullptr && a.element_strides != nullptr && (a.strides != nullptr || a.rank == 1),
                "expected arrays of sizes, strides and element strides, found a null pointer");

  TensorMap map;
  map.address = address;
  map.rank = a.rank;
  map.element_bytes = size_of(element);
  map.floating = is_float(element);
  map.type = element;
  map.swizzle_bytes = swizzle_bytes(a.swizzle);
  map.fill = a.fill == CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE ? TensorMap::Fill::zero : TensorMap::Fill::nan;
  map.strides[0] = size_of(element);
  for (std::uint32_t i = 0; i < a.rank; ++i) {
    require_value(a.sizes[i] >= 1 && a.sizes[i] <= kSizeLimit, "expected sizes of 1 to 2^32");
    require_value(a.element_strides[i] >= 1 && a.element_strides[i] <= 8, "expected element strides of 1 to 8");
    map.sizes[i] = a.sizes[i];
    map.steps[i] = a.element_strides[i];
    if (i == 0) continue;
    require_value(a.strides[i - 1] % 16 == 0 && a.strides[i - 1] < kStrideLimit,
                  "expected strides that are multiples of 16 bytes, below 2^40");
    map.strides[i] = a.strides[i - 1];
  }
  // Without interleaving the copy engine has no stride for the innermost dimension.
  map.steps[0] = 1;
  return map;
}

void store(const TensorMap& map, CUtensorMap* result) {
  const auto bytes = map.encode();
  static_assert(sizeof *result == sizeof bytes);
  std::memcpy(result, bytes.data(), bytes.size());
}

}  // namespace

void encode_tiled(const TensorMapArguments& arguments, const cuuint32_t* box) {
  TensorMap map = common(arguments, 1);
  require_value(box != nullptr, "expected an array of box sizes, found a null pointer");
  for (std::uint32_t i = 0; i < map.rank; ++i) {
    require_value(box[i] >= 1 && box[i] <= 256, "expected box sizes of 1 to 256");
    map.box[i] = box[i];
  }
  const std::uint32_t line = box[0] * map.element_bytes;
  require_value(line % 16 == 0, "expected an innermost box size that is a multiple of 16 bytes");
  require_value(map.swizzle_bytes == 0 || line <= map.swizzle_bytes,
                "expected an innermost box size that is at most the swizzle's");
  store(map, arguments.result);
}

void encode_im2col(const TensorMapArguments& arguments, const int* lower, const int* upper, cuuint32_t channels,
                   cuuint32_t pixels) {
  TensorMap map = common(arguments, 3);
  require_value(lower != nullptr && upper != nullptr, "expected the corners of the pixel box, found a null pointer");
  require_value(channels >= 1 && channels <= 256, "expected 1 to 256 channels a pixel");
  require_value(pixels >= 1 && pixels <= 1024, "expected 1 to 1024 pixels a column");
  // 16 bits hold all corners together: 16, 8 or 5 each for 1, 2 or 3 spatial dimensions.
  const std::uint32_t spatial = map.rank - 2;
  const int limit = spatial == 1 ? 32768 : spatial == 2 ? 128 : 16;
  for (std::uint32_t i = 0; i < spatial; ++i) {
    require_value(lower[i] >= -limit && lower[i] < limit && upper[i] >= -limit && upper[i] < limit,
                  "expected corners within [-32768, 32767], [-128, 127] or [-16, 15] for 1, 2 or 3 spatial dimensions");
    map.lower[i] = lower[i];
    map.upper[i] = upper[i];
  }
  const std::uint32_t line = channels * map.element_bytes;
  require_value(line % 16 == 0, "expected channels that make a multiple of 16 bytes");
  require_value(map.swizzle_bytes == 0 || line <= map.swizzle_bytes,
                "expected channels of at most the swizzle's bytes");
  map.im2col = true;
  map.channels = channels;
  map.pixels = pixels;
  store(map, arguments.result);
}

void replace_address(CUtensorMap* result, void* address) {
  require_value(result != nullptr && reinterpret_cast<std::uintptr_t>(result) % 64 == 0,
                "expected a CUtensorMap at a multiple of 64 bytes");
  TensorMap map;
  require_value(TensorMap::decode(reinterpret_cast<const std::uint8_t*>(result), map),
                "expected a tensor map that cuTensorMapEncode has made");
  const auto value = reinterpret_cast<std::uint64_t>(address);
  require_value(value != 0 && value % 16 == 0 && value < kAddressLimit,
                "expected a global address that is a multiple of 16 bytes, below 2^48");
  map.address = value;
  store(map, result);
}

}  // namespace vgpu::driver
