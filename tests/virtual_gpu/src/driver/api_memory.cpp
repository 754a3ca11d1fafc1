// CUDA driver API, 6.13 "Memory Management" without copies.
#include <algorithm>

#include "driver/engine/graph.h"
#include "driver/engine/stream.h"
#include "driver/objects/allocations.h"
#include "driver/objects/pool.h"
#include "driver/objects/streams.h"

using namespace vgpu::driver;

namespace {

constexpr std::uint64_t kPitchAlignment = 512;

std::uint64_t number(const void* pointer) { return reinterpret_cast<std::uint64_t>(pointer); }
void* pointer(std::uint64_t address) { return reinterpret_cast<void*>(address); }

CUdeviceptr allocate(Allocation::Kind kind, std::uint64_t bytes, unsigned flags) {
  const std::shared_ptr<ContextObject> context = current_context();
  vgpu::engine::guard_unsafe_call();
  Driver& driver = Driver::get();
  driver.inject(kind == Allocation::Kind::pinned ? FailureKind::host_alloc : FailureKind::alloc,
                CUDA_ERROR_OUT_OF_MEMORY);
  return driver.allocations->allocate(kind, bytes, context, flags);
}

/// Waits for the device as cuMemFree does, then forgets the range.
void free_range(const Allocation& range, const char* what) {
  const std::shared_ptr<ContextObject> context = current_context();
  vgpu::engine::guard_unsafe_call();
  Driver& driver = Driver::get();
  driver.reach();
  driver.allocations->start_freeing(range.address);
  // A copy that its caller took for finished is no work that the free could surprise.
  if (context->staged_copy.exchange(false)) {
    context->engine().legacy().synchronize();
    context->engine().per_thread()->synchronize();
  }
  driver.engine->free_now(context->engine(), range.address, range.bytes,
                          std::string(what) + " of " + std::to_string(range.bytes) + " bytes", [&] {
                            if (range.pool != nullptr) range.pool->give_back(range.bytes);
                            driver.allocations->release(range.address);
                          });
}

/// Advice and prefetching change nothing here, but are for managed memory alone.
void check_managed(CUdeviceptr address, std::uint64_t bytes) {
  current_context();
  const auto range = Driver::get().allocations->find(address);
  require_value(range && range->kind == Allocation::Kind::managed && bytes > 0 &&
                    address - range->address + bytes <= range->bytes,
                "expected a range of managed memory");
}

}  // namespace

VGPU_API(cuMemGetInfo_v2, (size_t * free, size_t* total), (free, total)) {
  require_value(free != nullptr && total != nullptr, "expected room for both sizes, found a null pointer");
  current_context();
  Driver& driver = Driver::get();
  *total = driver.memory_size;
  *free = driver.memory_size - std::min(driver.memory_size, driver.allocations->device_bytes_in_use());
  return CUDA_SUCCESS;
}

VGPU_API(cuMemAlloc_v2, (CUdeviceptr * address, size_t bytes), (address, bytes)) {
  require_value(address != nullptr, "expected room for the address, found a null pointer");
  *address = allocate(Allocation::Kind::device, bytes, 0);
  return CUDA_SUCCESS;
}

VGPU_API(cuMemAllocPitch_v2, (CUdeviceptr * address, size_t* pitch, size_t width, size_t height, unsigned int element),
         (address, pitch, width, height, element)) {
  require_value(address != nullptr && pitch != nullptr, "expected room for address and pitch, found a null pointer");
  require_value(width > 0 && height > 0, "expected at least one byte in at least one row");
  require_value(element == 4 || element == 8 || element == 16, "expected elements of 4, 8 or 16 bytes");
  const std::uint64_t row = (width + kPitchAlignment - 1) / kPitchAlignment * kPitchAlignment;
  *address = allocate(Allocation::Kind::device, row * height, 0);
  *pitch = row;
  return CUDA_SUCCESS;
}

VGPU_API(cuMemAllocManaged, (CUdeviceptr * address, size_t bytes, unsigned int flags), (address, bytes, flags)) {
  require_value(address != nullptr, "expected room for the address, found a null pointer");
  require_value(flags == CU_MEM_ATTACH_GLOBAL || flags == CU_MEM_ATTACH_HOST,
                "expected CU_MEM_ATTACH_GLOBAL or CU_MEM_ATTACH_HOST");
  *address = allocate(Allocation::Kind::managed, bytes, flags);
  return CUDA_SUCCESS;
}

VGPU_API(cuMemFree_v2, (CUdeviceptr address), (address)) {
  if (address == 0) {
    current_context();
    return CUDA_SUCCESS;
  }
  Driver& driver = Driver::get();
  if (vgpu::engine::is_graph_memory(*driver.engine, address)) {
    const StreamRef stream = default_stream(driver);
    stream->submit_and_wait(vgpu::engine::graph_free_work(*driver.engine, address));
    return CUDA_SUCCESS;
  }
  const Allocation range = driver.allocations->at(address);
  require_value(range.on_device(), "expected device memory, found memory of the host");
  free_range(range, "free");
  return CUDA_SUCCESS;
}

VGPU_API(cuMemGetAddressRange_v2, (CUdeviceptr * base, size_t* bytes, CUdeviceptr address), (base, bytes, address)) {
  current_context();
  const auto range = Driver::get().allocations->find(address);
  require(range.has_value(), CUDA_ERROR_NOT_FOUND, "expected an address inside an allocation");
  if (base != nullptr) *base = range->address;
  if (bytes != nullptr) *bytes = range->bytes;
  return CUDA_SUCCESS;
}

VGPU_API(cuMemHostAlloc, (void** address, size_t bytes, unsigned int flags), (address, bytes, flags)) {
  require_value(address != nullptr, "expected room for the address, found a null pointer");
  require_value((flags & ~(CU_MEMHOSTALLOC_PORTABLE | CU_MEMHOSTALLOC_DEVICEMAP | CU_MEMHOSTALLOC_WRITECOMBINED)) == 0,
                "expected flags of cuMemHostAlloc");
  *address = pointer(allocate(Allocation::Kind::pinned, bytes, flags));
  return CUDA_SUCCESS;
}

VGPU_API(cuMemAllocHost_v2, (void** address, size_t bytes), (address, bytes)) {
  return cuMemHostAlloc_body(address, bytes, 0);
}

VGPU_API(cuMemFreeHost, (void* address), (address)) {
  if (address == nullptr) {
    current_context();
    return CUDA_SUCCESS;
  }
  const Allocation range = Driver::get().allocations->at(number(address));
  require_value(range.kind == Allocation::Kind::pinned, "expected memory of cuMemHostAlloc");
  free_range(range, "free of pinned memory");
  return CUDA_SUCCESS;
}

VGPU_API(cuMemHostRegister_v2, (void* address, size_t bytes, unsigned int flags), (address, bytes, flags)) {
  require_value((flags & ~(CU_MEMHOSTREGISTER_PORTABLE | CU_MEMHOSTREGISTER_DEVICEMAP)) == 0,
                "expected CU_MEMHOSTREGISTER_PORTABLE and CU_MEMHOSTREGISTER_DEVICEMAP alone");
  const std::shared_ptr<ContextObject> context = current_context();
  vgpu::engine::guard_unsafe_call();
  Driver& driver = Driver::get();
  driver.inject(FailureKind::host_alloc, CUDA_ERROR_OUT_OF_MEMORY);
  driver.allocations->register_host(number(address), bytes, context, flags);
  return CUDA_SUCCESS;
}

VGPU_API_ALIAS(cuMemHostRegister, cuMemHostRegister_v2, (void* address, size_t bytes, unsigned int flags),
               (address, bytes, flags))

VGPU_API(cuMemHostUnregister, (void* address), (address)) {
  const std::shared_ptr<ContextObject> context = current_context();
  vgpu::engine::guard_unsafe_call();
  Driver& driver = Driver::get();
  const auto range = driver.allocations->find(number(address));
  require(range && range->kind == Allocation::Kind::registered && range->address == number(address),
          CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED, "expected the start of registered memory");
  context->engine().synchronize();
  driver.allocations->release(range->address);
  return CUDA_SUCCESS;
}

VGPU_API(cuMemHostGetDevicePointer_v2, (CUdeviceptr * device, void* address, unsigned int flags),
         (device, address, flags)) {
  require_value(device != nullptr && flags == 0, "expected room for the address, and flags of 0");
  current_context();
  const auto range = Driver::get().allocations->find(number(address));
  require_value(range && range->on_host(), "expected memory of cuMemHostAlloc");
  require(range->kind == Allocation::Kind::pinned, CUDA_ERROR_NOT_SUPPORTED,
          "expected memory of cuMemHostAlloc, found registered memory, which kernels of the virtual GPU can't reach");
  *device = number(address);
  return CUDA_SUCCESS;
}

VGPU_API(cuMemHostGetFlags, (unsigned int* flags, void* address), (flags, address)) {
  require_value(flags != nullptr, "expected room for the flags, found a null pointer");
  current_context();
  const auto range = Driver::get().allocations->find(number(address));
  require_value(range && range->kind == Allocation::Kind::pinned, "expected memory of cuMemHostAlloc");
  *flags = range->flags | CU_MEMHOSTALLOC_DEVICEMAP;
  return CUDA_SUCCESS;
}

VGPU_API(cuMemAdvise_v2, (CUdeviceptr address, size_t bytes, CUmem_advise, CUmemLocation), (address, bytes, {}, {})) {
  check_managed(address, bytes);
  return CUDA_SUCCESS;
}

VGPU_API(cuMemAdvise, (CUdeviceptr address, size_t bytes, CUmem_advise, CUdevice), (address, bytes, {}, {})) {
  check_managed(address, bytes);
  return CUDA_SUCCESS;
}

VGPU_STREAM_API(cuMemPrefetchAsync_v2, _ptsz,
                (CUdeviceptr address, size_t bytes, CUmemLocation location, unsigned int flags, CUstream stream),
                (address, bytes, location, flags, stream)) {
  require_value(flags == 0 && location.type != CU_MEM_LOCATION_TYPE_INVALID, "expected a location, and flags of 0");
  stream_of(Driver::get(), stream);
  check_managed(address, bytes);
  return CUDA_SUCCESS;
}

VGPU_STREAM_API(cuMemPrefetchAsync, _ptsz, (CUdeviceptr address, size_t bytes, CUdevice device, CUstream stream),
                (address, bytes, device, stream)) {
  require(device == 0 || device == CU_DEVICE_CPU, CUDA_ERROR_INVALID_DEVICE, "expected device 0 or the host");
  stream_of(Driver::get(), stream);
  check_managed(address, bytes);
  return CUDA_SUCCESS;
}
