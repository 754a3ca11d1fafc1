// CUDA driver API, 6.13 "Memory Management": copies.
#include "driver/objects/copies.h"
#include "driver/objects/copy_descriptors.h"

using namespace vgpu::driver;

namespace {

std::uint64_t number(const void* pointer) { return reinterpret_cast<std::uint64_t>(pointer); }

CUresult copy_bytes(std::uint64_t destination, std::uint64_t source, std::uint64_t bytes, CUstream stream,
                    Waiting waiting) {
  Driver& driver = Driver::get();
  copy(driver, stream_of(driver, stream), {destination, bytes}, {source, bytes}, {bytes, 1}, waiting);
  return CUDA_SUCCESS;
}

CUresult copy_2d(const CUDA_MEMCPY2D* what, CUstream stream, Waiting waiting, bool limit_pitch) {
  require_value(what != nullptr, "expected a copy, found a null pointer");
  Driver& driver = Driver::get();
  const StreamRef where = stream_of(driver, stream);
  const CopySlice slice = slice_of(*what, limit_pitch);
  copy(driver, where, slice.destination, slice.source, slice.shape, waiting);
  return CUDA_SUCCESS;
}

CUresult copy_3d(const CUDA_MEMCPY3D* what, CUstream stream, Waiting waiting) {
  require_value(what != nullptr, "expected a copy, found a null pointer");
  Driver& driver = Driver::get();
  const StreamRef where = stream_of(driver, stream);
  for (const CopySlice& slice : slices_of(*what)) {
    copy(driver, where, slice.destination, slice.source, slice.shape, waiting);
  }
  return CUDA_SUCCESS;
}

}  // namespace

VGPU_STREAM_API(cuMemcpy, _ptds, (CUdeviceptr destination, CUdeviceptr source, size_t bytes),
                (destination, source, bytes)) {
  return copy_bytes(destination, source, bytes, nullptr, Waiting::always);
}

VGPU_STREAM_API(cuMemcpyAsync, _ptsz, (CUdeviceptr destination, CUdeviceptr source, size_t bytes, CUstream stream),
                (destination, source, bytes, stream)) {
  return copy_bytes(destination, source, bytes, stream, Waiting::never);
}

VGPU_STREAM_API(cuMemcpyHtoD_v2, _ptds, (CUdeviceptr destination, const void* source, size_t bytes),
                (destination, source, bytes)) {
  return copy_bytes(destination, number(source), bytes, nullptr, Waiting::always);
}

VGPU_STREAM_API(cuMemcpyHtoDAsync_v2, _ptsz,
                (CUdeviceptr destination, const void* source, size_t bytes, CUstream stream),
                (destination, source, bytes, stream)) {
  return copy_bytes(destination, number(source), bytes, stream, Waiting::never);
}

VGPU_STREAM_API(cuMemcpyDtoH_v2, _ptds, (void* destination, CUdeviceptr source, size_t bytes),
                (destination, source, bytes)) {
  return copy_bytes(number(destination), source, bytes, nullptr, Waiting::always);
}

VGPU_STREAM_API(cuMemcpyDtoHAsync_v2, _ptsz, (void* destination, CUdeviceptr source, size_t bytes, CUstream stream),
                (destination, source, bytes, stream)) {
  return copy_bytes(number(destination), source, bytes, stream, Waiting::never);
}

VGPU_STREAM_API(cuMemcpyDtoD_v2, _ptds, (CUdeviceptr destination, CUdeviceptr source, size_t bytes),
                (destination, source, bytes)) {
  return copy_bytes(destination, source, bytes, nullptr, Waiting::always);
}

VGPU_STREAM_API(cuMemcpyDtoDAsync_v2, _ptsz,
                (CUdeviceptr destination, CUdeviceptr source, size_t bytes, CUstream stream),
                (destination, source, bytes, stream)) {
  return copy_bytes(destination, source, bytes, stream, Waiting::never);
}

VGPU_STREAM_API(cuMemcpy2D_v2, _ptds, (const CUDA_MEMCPY2D* copy), (copy)) {
  return copy_2d(copy, nullptr, Waiting::always, true);
}

VGPU_STREAM_API(cuMemcpy2DUnaligned_v2, _ptds, (const CUDA_MEMCPY2D* copy), (copy)) {
  return copy_2d(copy, nullptr, Waiting::always, false);
}

VGPU_STREAM_API(cuMemcpy2DAsync_v2, _ptsz, (const CUDA_MEMCPY2D* copy, CUstream stream), (copy, stream)) {
  return copy_2d(copy, stream, Waiting::never, true);
}

VGPU_STREAM_API(cuMemcpy3D_v2, _ptds, (const CUDA_MEMCPY3D* copy), (copy)) {
  return copy_3d(copy, nullptr, Waiting::always);
}

VGPU_STREAM_API(cuMemcpy3DAsync_v2, _ptsz, (const CUDA_MEMCPY3D* copy, CUstream stream), (copy, stream)) {
  return copy_3d(copy, stream, Waiting::never);
}
