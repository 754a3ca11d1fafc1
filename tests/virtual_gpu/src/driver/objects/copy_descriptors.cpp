#include "driver/objects/copy_descriptors.h"

namespace vgpu::driver {
namespace {

constexpr std::uint64_t kMaxPitch = 0x7fffffff;

std::uint64_t base_of(CUmemorytype type, const void* host, CUdeviceptr device) {
  switch (type) {
    case CU_MEMORYTYPE_HOST:
      require_value(host != nullptr, "expected memory of the host, found a null pointer");
      return reinterpret_cast<std::uint64_t>(host);
    case CU_MEMORYTYPE_DEVICE:
    case CU_MEMORYTYPE_UNIFIED:
      require_value(device != 0, "expected memory, found a null pointer");
      return device;
    case CU_MEMORYTYPE_ARRAY:
      throw Status(CUDA_ERROR_INVALID_HANDLE, "expected memory, found an array, which the virtual GPU doesn't have");
  }
  throw Status(CUDA_ERROR_INVALID_VALUE, "expected a CUmemorytype");
}

}  // namespace

CopySlice slice_of(const CUDA_MEMCPY2D& copy, bool limit_pitch) {
  const auto pitch_of = [&](std::uint64_t pitch, std::uint64_t x) {
    if (pitch == 0) pitch = x + copy.WidthInBytes;
    require_value(pitch >= x + copy.WidthInBytes || copy.Height <= 1, "expected a pitch that holds a row");
    require_value(!limit_pitch || pitch <= kMaxPitch, "expected a pitch of at most the device's greatest");
    return pitch;
  };
  CopySlice slice;
  slice.destination.pitch = pitch_of(copy.dstPitch, copy.dstXInBytes);
  slice.destination.address = base_of(copy.dstMemoryType, copy.dstHost, copy.dstDevice) +
                              copy.dstY * slice.destination.pitch + copy.dstXInBytes;
  slice.source.pitch = pitch_of(copy.srcPitch, copy.srcXInBytes);
  slice.source.address =
      base_of(copy.srcMemoryType, copy.srcHost, copy.srcDevice) + copy.srcY * slice.source.pitch + copy.srcXInBytes;
  slice.shape = {copy.WidthInBytes, copy.Height};
  return slice;
}

std::vector<CopySlice> slices_of(const CUDA_MEMCPY3D& copy) {
  if (copy.WidthInBytes == 0 || copy.Height == 0 || copy.Depth == 0) return {};
  require_value(copy.srcLOD == 0 && copy.dstLOD == 0, "expected no levels of detail");
  CUDA_MEMCPY2D plane{};
  plane.srcXInBytes = copy.srcXInBytes;
  plane.srcY = copy.srcY;
  plane.srcMemoryType = copy.srcMemoryType;
  plane.srcHost = copy.srcHost;
  plane.srcDevice = copy.srcDevice;
  plane.srcPitch = copy.srcPitch;
  plane.dstXInBytes = copy.dstXInBytes;
  plane.dstY = copy.dstY;
  plane.dstMemoryType = copy.dstMemoryType;
  plane.dstHost = copy.dstHost;
  plane.dstDevice = copy.dstDevice;
  plane.dstPitch = copy.dstPitch;
  plane.WidthInBytes = copy.WidthInBytes;
  plane.Height = copy.Height;
  const CopySlice first = slice_of(plane, true);
  require_value(
      copy.Depth == 1 || (copy.srcHeight >= copy.srcY + copy.Height && copy.dstHeight >= copy.dstY + copy.Height),
      "expected heights that hold a slice");
  if (copy.Depth == 1 || (copy.srcHeight == copy.Height && copy.dstHeight == copy.Height)) {
    CopySlice all = first;
    all.shape.rows = copy.Height * copy.Depth;
    all.source.address += copy.srcZ * copy.srcHeight * all.source.pitch;
    all.destination.address += copy.dstZ * copy.dstHeight * all.destination.pitch;
    return {all};
  }
  std::vector<CopySlice> slices;
  for (std::size_t z = 0; z < copy.Depth; ++z) {
    CopySlice slice = first;
    slice.source.address += (copy.srcZ + z) * copy.srcHeight * slice.source.pitch;
    slice.destination.address += (copy.dstZ + z) * copy.dstHeight * slice.destination.pitch;
    slices.push_back(slice);
  }
  return slices;
}

}  // namespace vgpu::driver
