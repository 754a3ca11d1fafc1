// Memory through the driver's interface: allocations of every kind, copies, sets, pools, what an address is.
#include <cstring>

#include "driver_harness.h"

namespace vgpu_test {
namespace {

std::vector<int> numbers(std::size_t n) {
  std::vector<int> values(n);
  for (std::size_t i = 0; i < n; ++i) values[i] = static_cast<int>(i * 7 + 3);
  return values;
}

template <class T>
T attribute(CUpointer_attribute name, CUdeviceptr address) {
  T value{};
  OK(cuPointerGetAttribute(&value, name, address));
  return value;
}

}  // namespace

TEST_CASE("device memory is counted, aligned and checked") {
  const Session session;
  std::size_t free_before = 0, free_after = 0, total = 0;
  OK(cuMemGetInfo(&free_before, &total));
  CUdeviceptr a = 0, b = 0;
  OK(cuMemAlloc(&a, 1000));
  OK(cuMemAlloc(&b, 1));
  CHECK(a % 256 == 0);
  CHECK(b % 256 == 0);
  OK(cuMemGetInfo(&free_after, &total));
  CHECK(free_before - free_after == 1001);
  CUdeviceptr base = 0;
  std::size_t bytes = 0;
  OK(cuMemGetAddressRange(&base, &bytes, a + 999));
  CHECK(base == a);
  CHECK(bytes == 1000);
  GIVES(CUDA_ERROR_NOT_FOUND, cuMemGetAddressRange(&base, &bytes, a + 1000));
  GIVES(CUDA_ERROR_INVALID_VALUE, cuMemFree(a + 8));
  OK(cuMemFree(a));
  GIVES(CUDA_ERROR_INVALID_VALUE, cuMemFree(a));
  OK(cuMemFree(b));
  GIVES(CUDA_ERROR_INVALID_VALUE, cuMemAlloc(&a, 0));
  GIVES(CUDA_ERROR_OUT_OF_MEMORY, cuMemAlloc(&a, total + 1));
  GIVES(CUDA_ERROR_OUT_OF_MEMORY, cuMemAlloc(&a, ~std::size_t{0}));
  OK(cuMemGetInfo(&free_after, &total));
  CHECK(free_before == free_after);
}

TEST_CASE("rows with a pitch are copied and set") {
  const Session session;
  constexpr std::size_t kWidth = 100, kHeight = 7;
  CUdeviceptr image = 0;
  std::size_t pitch = 0;
  OK(cuMemAllocPitch(&image, &pitch, kWidth, kHeight, 4));
  CHECK(pitch >= kWidth);
  CHECK(pitch % 32 == 0);
  GIVES(CUDA_ERROR_INVALID_VALUE, cuMemAllocPitch(&image, &pitch, kWidth, kHeight, 3));
  std::vector<unsigned char> from(kWidth * kHeight), to(kWidth * kHeight);
  for (std::size_t i = 0; i < from.size(); ++i) from[i] = static_cast<unsigned char>(i);
  CUDA_MEMCPY2D copy{};
  copy.srcMemoryType = CU_MEMORYTYPE_HOST;
  copy.srcHost = from.data();
  copy.srcPitch = kWidth;
  copy.dstMemoryType = CU_MEMORYTYPE_DEVICE;
  copy.dstDevice = image;
  copy.dstPitch = pitch;
  copy.WidthInBytes = kWidth;
  copy.Height = kHeight;
  OK(cuMemcpy2D(&copy));
  // Rows 2 to 4, bytes 10 to 19, with another value.
  OK(cuMemsetD2D8(image + 2 * pitch + 10, pitch, 0xee, 10, 3));
  CUDA_MEMCPY2D back{};
  back.srcMemoryType = CU_MEMORYTYPE_DEVICE;
  back.srcDevice = image;
  back.srcPitch = pitch;
  back.dstMemoryType = CU_MEMORYTYPE_HOST;
  back.dstHost = to.data();
  back.dstPitch = kWidth;
  back.WidthInBytes = kWidth;
  back.Height = kHeight;
  OK(cuMemcpy2DUnaligned(&back));
  for (std::size_t y = 0; y < kHeight; ++y) {
    for (std::size_t x = 0; x < kWidth; ++x) {
      const bool inside = y >= 2 && y < 5 && x >= 10 && x < 20;
      const unsigned want = inside ? 0xee : static_cast<unsigned char>(y * kWidth + x);
      if (to[y * kWidth + x] != want) FAIL("row " << y << ", byte " << x << ": expected " << want);
    }
  }
  back.dstPitch = kWidth - 1;
  GIVES(CUDA_ERROR_INVALID_VALUE, cuMemcpy2D(&back));
  back.dstPitch = kWidth;
  back.Height = kHeight + 1;  // past the allocation's end
  std::vector<unsigned char> large(kWidth * (kHeight + 1));
  back.dstHost = large.data();
  GIVES(CUDA_ERROR_INVALID_VALUE, cuMemcpy2D(&back));
  back.srcMemoryType = CU_MEMORYTYPE_ARRAY;
  GIVES(CUDA_ERROR_INVALID_HANDLE, cuMemcpy2D(&back));
  OK(cuMemFree(image));
}

TEST_CASE("boxes are copied slice by slice") {
  const Session session;
  // A box of 3 x 2 x 2 ints out of 5 x 4 x 3, at (1, 1, 1).
  const std::vector<int> from = numbers(5 * 4 * 3);
  const CUdeviceptr volume = upload(from);
  std::vector<int> to(3 * 2 * 2, -1);
  CUDA_MEMCPY3D copy{};
  copy.srcMemoryType = CU_MEMORYTYPE_DEVICE;
  copy.srcDevice = volume;
  copy.srcPitch = 5 * sizeof(int);
  copy.srcHeight = 4;
  copy.srcXInBytes = sizeof(int);
  copy.srcY = 1;
  copy.srcZ = 1;
  copy.dstMemoryType = CU_MEMORYTYPE_HOST;
  copy.dstHost = to.data();
  copy.dstPitch = 3 * sizeof(int);
  copy.dstHeight = 2;
  copy.WidthInBytes = 3 * sizeof(int);
  copy.Height = 2;
  copy.Depth = 2;
  OK(cuMemcpy3D(&copy));
  for (std::size_t z = 0; z < 2; ++z) {
    for (std::size_t y = 0; y < 2; ++y) {
      for (std::size_t x = 0; x < 3; ++x) CHECK(to[(z * 2 + y) * 3 + x] == from[((z + 1) * 4 + y + 1) * 5 + x + 1]);
    }
  }
  OK(cuMemFree(volume));
}

TEST_CASE("sets write elements of each size") {
  const Session session;
  CUdeviceptr x = 0;
  OK(cuMemAlloc(&x, 64));
  OK(cuMemsetD8(x, 0x11, 64));
  OK(cuMemsetD16(x + 16, 0x2233, 8));
  OK(cuMemsetD32(x + 32, 0x44556677, 4));
  const auto bytes = download<unsigned char>(x, 64);
  CHECK(bytes[15] == 0x11);
  CHECK(bytes[16] == 0x33);
  CHECK(bytes[31] == 0x22);
  CHECK(bytes[32] == 0x77);
  CHECK(bytes[47] == 0x44);
  CHECK(bytes[48] == 0x11);
  GIVES(CUDA_ERROR_INVALID_VALUE, cuMemsetD32(x + 2, 0, 1));
  GIVES(CUDA_ERROR_INVALID_VALUE, cuMemsetD16(x + 1, 0, 1));
  GIVES(CUDA_ERROR_INVALID_VALUE, cuMemsetD8(x, 0, 65));
  OK(cuMemsetD8(x, 0, 0));
  OK(cuMemFree(x));
}

TEST_CASE("copies past an allocation's end are refused") {
  const Session session;
  const CUdeviceptr x = upload(numbers(10)), y = upload(numbers(10));
  std::vector<int> host(20);
  GIVES(CUDA_ERROR_INVALID_VALUE, cuMemcpyDtoH(host.data(), x, 44));
  GIVES(CUDA_ERROR_INVALID_VALUE, cuMemcpyHtoD(x + 4, host.data(), 40));
  GIVES(CUDA_ERROR_INVALID_VALUE, cuMemcpyDtoD(x, y, 41));
  GIVES(CUDA_ERROR_INVALID_VALUE, cuMemcpyDtoH(nullptr, x, 4));
  OK(cuMemcpyDtoH(nullptr, x, 0));
  OK(cuMemFree(x));
  GIVES(CUDA_ERROR_INVALID_VALUE, cuMemcpyDtoH(host.data(), x, 4));
  OK(cuMemFree(y));
}

TEST_CASE("kernels reach pinned and managed memory") {
  const Session session;
  const Kernels kernels;
  float* pinned = nullptr;
  OK(cuMemHostAlloc(reinterpret_cast<void**>(&pinned), 256 * sizeof(float), CU_MEMHOSTALLOC_PORTABLE));
  CUdeviceptr managed = 0, mapped = 0;
  OK(cuMemAllocManaged(&managed, 256 * sizeof(float), CU_MEM_ATTACH_GLOBAL));
  OK(cuMemHostGetDevicePointer(&mapped, pinned, 0));
  unsigned flags = 0;
  OK(cuMemHostGetFlags(&flags, pinned));
  CHECK((flags & CU_MEMHOSTALLOC_PORTABLE) != 0);
  float* values = reinterpret_cast<float*>(managed);
  for (int i = 0; i < 256; ++i) pinned[i] = 1, values[i] = 2;
  OK(launch(kernels["scale"], 2, 128, nullptr, mapped, 256, 3.0f, 1.0f));
  OK(launch(kernels["add"], 2, 128, nullptr, mapped, managed, 256));
  OK(cuCtxSynchronize());
  CHECK(pinned[255] == 4);
  CHECK(values[0] == 6);
  CHECK(attribute<unsigned>(CU_POINTER_ATTRIBUTE_MEMORY_TYPE, mapped) == CU_MEMORYTYPE_HOST);
  CHECK(attribute<unsigned>(CU_POINTER_ATTRIBUTE_MEMORY_TYPE, managed) == CU_MEMORYTYPE_DEVICE);
  CHECK(attribute<unsigned>(CU_POINTER_ATTRIBUTE_IS_MANAGED, managed) == 1);
  CHECK(attribute<CUcontext>(CU_POINTER_ATTRIBUTE_CONTEXT, managed) == session.context);
  CHECK(attribute<CUdeviceptr>(CU_POINTER_ATTRIBUTE_RANGE_START_ADDR, managed + 100) == managed);
  CHECK(attribute<std::size_t>(CU_POINTER_ATTRIBUTE_RANGE_SIZE, managed) == 1024);
  OK(cuMemPrefetchAsync(managed, 1024, {CU_MEM_LOCATION_TYPE_DEVICE, {0}}, 0, nullptr));
  GIVES(CUDA_ERROR_INVALID_VALUE, cuMemFree(mapped));
  GIVES(CUDA_ERROR_INVALID_VALUE, cuMemFreeHost(values));
  OK(cuMemFreeHost(pinned));
  OK(cuMemFree(managed));
}

TEST_CASE("registered memory is copied asynchronously") {
  const Session session;
  std::vector<int> host = numbers(1000);
  OK(cuMemHostRegister(host.data(), 4000, 0));
  GIVES(CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED, cuMemHostRegister(host.data() + 10, 40, 0));
  CUstream stream = nullptr;
  OK(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
  CUdeviceptr x = 0;
  OK(cuMemAlloc(&x, 4000));
  OK(cuMemcpyHtoDAsync(x, host.data(), 4000, stream));
  OK(cuStreamSynchronize(stream));
  CHECK(download<int>(x, 1000) == host);
  GIVES(CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED, cuMemHostUnregister(host.data() + 1));
  OK(cuMemHostUnregister(host.data()));
  GIVES(CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED, cuMemHostUnregister(host.data()));
  OK(cuMemFree(x));
  OK(cuStreamDestroy(stream));
}

TEST_CASE("pageable memory is taken over at once, pinned memory when the copy runs") {
  const Session session;
  CUstream stream = nullptr;
  OK(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
  CUdeviceptr x = 0;
  OK(cuMemAlloc(&x, 4));
  int pageable = 1;
  OK(cuMemcpyHtoDAsync(x, &pageable, 4, stream));
  pageable = 2;
  OK(cuStreamSynchronize(stream));
  CHECK(download<int>(x, 1)[0] == 1);
  int* pinned = nullptr;
  OK(cuMemAllocHost(reinterpret_cast<void**>(&pinned), 4));
  *pinned = 3;
  OK(cuMemcpyHtoDAsync(x, pinned, 4, stream));
  *pinned = 4;  // a mistake of the host's: the copy has not run
  OK(cuStreamSynchronize(stream));
  CHECK(download<int>(x, 1)[0] == 4);
  // To pageable memory the data is there when the call returns.
  OK(cuMemcpyDtoHAsync(&pageable, x, 4, stream));
  CHECK(pageable == 4);
  OK(cuMemFreeHost(pinned));
  OK(cuMemFree(x));
  OK(cuStreamDestroy(stream));
}

TEST_CASE("attributes of addresses that are none of the driver's") {
  const Session session;
  int local = 0;
  const auto address = reinterpret_cast<CUdeviceptr>(&local);
  unsigned type = 9;
  GIVES(CUDA_ERROR_INVALID_VALUE, cuPointerGetAttribute(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE, address));
  CUpointer_attribute names[] = {CU_POINTER_ATTRIBUTE_MEMORY_TYPE, CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL};
  int ordinal = 9;
  void* values[] = {&type, &ordinal};
  OK(cuPointerGetAttributes(2, names, values, address));
  CHECK(type == 0);
  CHECK(ordinal == CU_DEVICE_INVALID);
}

TEST_CASE("pools account for what is taken, and keep up to their threshold") {
  const Session session;
  CUmemoryPool pool = nullptr, standard = nullptr, current = nullptr;
  CUmemPoolProps properties{};
  properties.allocType = CU_MEM_ALLOCATION_TYPE_PINNED;
  properties.location = {CU_MEM_LOCATION_TYPE_DEVICE, 0};
  properties.maxSize = 4096;
  OK(cuMemPoolCreate(&pool, &properties));
  OK(cuDeviceGetDefaultMemPool(&standard, 0));
  OK(cuDeviceGetMemPool(&current, 0));
  CHECK(current == standard);
  OK(cuDeviceSetMemPool(0, pool));
  CUstream stream = nullptr;
  OK(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
  CUdeviceptr a = 0, b = 0;
  OK(cuMemAllocAsync(&a, 1000, stream));
  OK(cuMemAllocFromPoolAsync(&b, 3000, pool, stream));
  CHECK(attribute<CUmemoryPool>(CU_POINTER_ATTRIBUTE_MEMPOOL_HANDLE, a) == pool);
  const auto value = [&](CUmemPool_attribute name) {
    cuuint64_t number = 0;
    OK(cuMemPoolGetAttribute(pool, name, &number));
    return number;
  };
  CHECK(value(CU_MEMPOOL_ATTR_USED_MEM_CURRENT) == 4000);
  CUdeviceptr more = 0;
  GIVES(CUDA_ERROR_OUT_OF_MEMORY, cuMemAllocAsync(&more, 97, stream));
  CHECK(value(CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT) >= 4000);
  OK(cuMemFreeAsync(a, stream));
  GIVES(CUDA_ERROR_INVALID_VALUE, cuMemFreeAsync(a, stream));
  OK(cuStreamSynchronize(stream));
  CHECK(value(CU_MEMPOOL_ATTR_USED_MEM_CURRENT) == 3000);
  CHECK(value(CU_MEMPOOL_ATTR_USED_MEM_HIGH) == 4000);
  OK(cuMemFree(b));
  CHECK(value(CU_MEMPOOL_ATTR_USED_MEM_CURRENT) == 0);
  CHECK(value(CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT) == 0);
  cuuint64_t zero = 0, one = 1;
  OK(cuMemPoolSetAttribute(pool, CU_MEMPOOL_ATTR_USED_MEM_HIGH, &zero));
  CHECK(value(CU_MEMPOOL_ATTR_USED_MEM_HIGH) == 0);
  GIVES(CUDA_ERROR_INVALID_VALUE, cuMemPoolSetAttribute(pool, CU_MEMPOOL_ATTR_USED_MEM_HIGH, &one));
  GIVES(CUDA_ERROR_INVALID_VALUE, cuMemPoolSetAttribute(pool, CU_MEMPOOL_ATTR_USED_MEM_CURRENT, &zero));
  CUdeviceptr x = 0;
  OK(cuMemAlloc(&x, 16));
  GIVES(CUDA_ERROR_INVALID_VALUE, cuMemFreeAsync(x, stream));
  OK(cuMemFree(x));
  GIVES(CUDA_ERROR_INVALID_VALUE, cuMemPoolDestroy(standard));
  OK(cuDeviceSetMemPool(0, standard));
  OK(cuMemPoolDestroy(pool));
  GIVES(CUDA_ERROR_INVALID_VALUE, cuMemAllocFromPoolAsync(&b, 16, pool, stream));
  OK(cuStreamDestroy(stream));
}

TEST_CASE("a module's variable is memory of the device") {
  const Session session;
  const Kernels kernels;
  CUdeviceptr counter = 0;
  std::size_t bytes = 0;
  OK(cuModuleGetGlobal(&counter, &bytes, kernels.module, "counter"));
  CHECK(bytes == 4);
  CHECK(download<int>(counter, 1)[0] == 7);
  const int value = 41;
  OK(cuMemcpyHtoD(counter, &value, 4));
  const CUdeviceptr result = upload(std::vector<int>{0});
  OK(launch(kernels["count"], 1, 1, nullptr, result));
  CHECK(download<int>(result, 1)[0] == 42);
  GIVES(CUDA_ERROR_INVALID_VALUE, cuMemFree(counter));
  GIVES(CUDA_ERROR_NOT_FOUND, cuModuleGetGlobal(&counter, &bytes, kernels.module, "missing"));
  OK(cuMemFree(result));
}

}  // namespace vgpu_test
