// CUDA driver API, 6.13 "Memory Management": sets. All of them are asynchronous for the host.
#include "driver/objects/copies.h"

using namespace vgpu::driver;

namespace {

CUresult fill(CUdeviceptr address, std::uint32_t value, std::uint32_t element_bytes, size_t columns, size_t rows,
              size_t pitch, CUstream stream) {
  Driver& driver = Driver::get();
  set(driver, stream_of(driver, stream), address, value, element_bytes, columns, rows, pitch);
  return CUDA_SUCCESS;
}

}  // namespace

VGPU_STREAM_API(cuMemsetD8_v2, _ptds, (CUdeviceptr address, unsigned char value, size_t n), (address, value, n)) {
  return fill(address, value, 1, n, 1, n, nullptr);
}

VGPU_STREAM_API(cuMemsetD16_v2, _ptds, (CUdeviceptr address, unsigned short value, size_t n), (address, value, n)) {
  return fill(address, value, 2, n, 1, 2 * n, nullptr);
}

VGPU_STREAM_API(cuMemsetD32_v2, _ptds, (CUdeviceptr address, unsigned int value, size_t n), (address, value, n)) {
  return fill(address, value, 4, n, 1, 4 * n, nullptr);
}

VGPU_STREAM_API(cuMemsetD2D8_v2, _ptds,
                (CUdeviceptr address, size_t pitch, unsigned char value, size_t width, size_t height),
                (address, pitch, value, width, height)) {
  return fill(address, value, 1, width, height, pitch, nullptr);
}

VGPU_STREAM_API(cuMemsetD2D16_v2, _ptds,
                (CUdeviceptr address, size_t pitch, unsigned short value, size_t width, size_t height),
                (address, pitch, value, width, height)) {
  return fill(address, value, 2, width, height, pitch, nullptr);
}

VGPU_STREAM_API(cuMemsetD2D32_v2, _ptds,
                (CUdeviceptr address, size_t pitch, unsigned int value, size_t width, size_t height),
                (address, pitch, value, width, height)) {
  return fill(address, value, 4, width, height, pitch, nullptr);
}

VGPU_STREAM_API(cuMemsetD8Async, _ptsz, (CUdeviceptr address, unsigned char value, size_t n, CUstream stream),
                (address, value, n, stream)) {
  return fill(address, value, 1, n, 1, n, stream);
}

VGPU_STREAM_API(cuMemsetD16Async, _ptsz, (CUdeviceptr address, unsigned short value, size_t n, CUstream stream),
                (address, value, n, stream)) {
  return fill(address, value, 2, n, 1, 2 * n, stream);
}

VGPU_STREAM_API(cuMemsetD32Async, _ptsz, (CUdeviceptr address, unsigned int value, size_t n, CUstream stream),
                (address, value, n, stream)) {
  return fill(address, value, 4, n, 1, 4 * n, stream);
}

VGPU_STREAM_API(cuMemsetD2D8Async, _ptsz,
                (CUdeviceptr address, size_t pitch, unsigned char value, size_t width, size_t height, CUstream stream),
                (address, pitch, value, width, height, stream)) {
  return fill(address, value, 1, width, height, pitch, stream);
}

VGPU_STREAM_API(cuMemsetD2D16Async, _ptsz,
                (CUdeviceptr address, size_t pitch, unsigned short value, size_t width, size_t height, CUstream stream),
                (address, pitch, value, width, height, stream)) {
  return fill(address, value, 2, width, height, pitch, stream);
}

VGPU_STREAM_API(cuMemsetD2D32Async, _ptsz,
                (CUdeviceptr address, size_t pitch, unsigned int value, size_t width, size_t height, CUstream stream),
                (address, pitch, value, width, height, stream)) {
  return fill(address, value, 4, width, height, pitch, stream);
}
