// CUDA driver API, 6.15 "Stream Ordered Memory Allocator".
#include "driver/engine/graph.h"
#include "driver/engine/works.h"
#include "driver/objects/allocations.h"
#include "driver/objects/pool.h"
#include "driver/objects/streams.h"

using namespace vgpu::driver;

namespace {

CUmemoryPool default_pool() {
  Driver& driver = Driver::get();
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  const CUmemoryPool known = driver.pools.handle_of([](const PoolObject& pool) { return pool.is_default; });
  if (known != nullptr) return known;
  auto pool = std::make_shared<PoolObject>();
  pool->is_default = true;
  return driver.pools.add(std::move(pool));
}

/// The pool that cuMemAllocAsync takes from; null: the default one.
std::atomic<CUmemoryPool> g_current_pool{nullptr};

CUmemoryPool current_pool() {
  const CUmemoryPool chosen = g_current_pool;
  return chosen != nullptr && Driver::get().pools.find(chosen) != nullptr ? chosen : default_pool();
}

CUresult allocate(CUdeviceptr* address, size_t bytes, CUmemoryPool handle, CUstream stream_handle) {
  require_value(address != nullptr, "expected room for the address, found a null pointer");
  Driver& driver = Driver::get();
  const StreamRef stream = stream_of(driver, stream_handle);
  const std::shared_ptr<PoolObject> pool = driver.pools.get(handle, CUDA_ERROR_INVALID_VALUE);
  require_value(bytes > 0, "expected at least one byte to allocate");
  driver.inject(FailureKind::alloc, CUDA_ERROR_OUT_OF_MEMORY);
  if (stream.capturing()) {
    *address = stream->capture_allocation(bytes);
    return CUDA_SUCCESS;
  }
  pool->take(bytes);
  std::uint64_t made = 0;
  try {
    made = driver.allocations->allocate(Allocation::Kind::pool, bytes, stream.context, 0, pool);
    stream->submit(vgpu::engine::allocate_work(made, bytes));
  } catch (...) {
    if (made != 0) driver.allocations->release(made);
    pool->give_back(bytes);
    throw;
  }
  *address = made;
  return CUDA_SUCCESS;
}

}  // namespace

VGPU_STREAM_API(cuMemAllocAsync, _ptsz, (CUdeviceptr * address, size_t bytes, CUstream stream),
                (address, bytes, stream)) {
  return allocate(address, bytes, current_pool(), stream);
}

VGPU_STREAM_API(cuMemAllocFromPoolAsync, _ptsz,
                (CUdeviceptr * address, size_t bytes, CUmemoryPool pool, CUstream stream),
                (address, bytes, pool, stream)) {
  return allocate(address, bytes, pool, stream);
}

VGPU_STREAM_API(cuMemFreeAsync, _ptsz, (CUdeviceptr address, CUstream stream_handle), (address, stream_handle)) {
  Driver& driver = Driver::get();
  const StreamRef stream = stream_of(driver, stream_handle);
  if (address == 0) return CUDA_SUCCESS;
  if (stream.capturing()) {
    stream->capture_free(address);
    return CUDA_SUCCESS;
  }
  if (vgpu::engine::is_graph_memory(*driver.engine, address)) {
    stream->submit(vgpu::engine::graph_free_work(*driver.engine, address));
    return CUDA_SUCCESS;
  }
  const Allocation range = driver.allocations->at(address);
  require_value(range.kind == Allocation::Kind::pool, "expected memory of cuMemAllocAsync");
  driver.allocations->start_freeing(address);
  stream->submit(vgpu::engine::release_work(address, range.bytes, [&driver, pool = range.pool, range] {
    pool->give_back(range.bytes);
    driver.allocations->release(range.address);
  }));
  return CUDA_SUCCESS;
}

VGPU_API(cuDeviceGetDefaultMemPool, (CUmemoryPool * pool, CUdevice device), (pool, device)) {
  require_value(pool != nullptr, "expected room for the pool, found a null pointer");
  check_device(device);
  *pool = default_pool();
  return CUDA_SUCCESS;
}

VGPU_API(cuDeviceGetMemPool, (CUmemoryPool * pool, CUdevice device), (pool, device)) {
  require_value(pool != nullptr, "expected room for the pool, found a null pointer");
  check_device(device);
  *pool = current_pool();
  return CUDA_SUCCESS;
}

VGPU_API(cuDeviceSetMemPool, (CUdevice device, CUmemoryPool pool), (device, pool)) {
  check_device(device);
  Driver::get().pools.get(pool, CUDA_ERROR_INVALID_VALUE);
  g_current_pool = pool;
  return CUDA_SUCCESS;
}

VGPU_API(cuMemPoolCreate, (CUmemoryPool * pool, const CUmemPoolProps* properties), (pool, properties)) {
  require_value(pool != nullptr && properties != nullptr, "expected room for the pool, and its properties");
  require_value(properties->allocType == CU_MEM_ALLOCATION_TYPE_PINNED &&
                    properties->location.type == CU_MEM_LOCATION_TYPE_DEVICE,
                "expected a pool of memory pinned on the device");
  check_device(properties->location.id);
  require(properties->handleTypes == CU_MEM_HANDLE_TYPE_NONE, CUDA_ERROR_NOT_SUPPORTED,
          "expected a pool that is not shared between processes");
  Driver& driver = Driver::get();
  driver.inject(FailureKind::create, CUDA_ERROR_OUT_OF_MEMORY);
  auto made = std::make_shared<PoolObject>();
  made->max_bytes = properties->maxSize;
  *pool = driver.pools.add(std::move(made));
  return CUDA_SUCCESS;
}

VGPU_API(cuMemPoolDestroy, (CUmemoryPool pool), (pool)) {
  Driver& driver = Driver::get();
  require_value(!driver.pools.get(pool, CUDA_ERROR_INVALID_VALUE)->is_default,
                "expected a pool of cuMemPoolCreate, found the device's default one");
  driver.pools.remove(pool);
  return CUDA_SUCCESS;
}

VGPU_API(cuMemPoolTrimTo, (CUmemoryPool pool, size_t keep), (pool, keep)) {
  Driver::get().pools.get(pool, CUDA_ERROR_INVALID_VALUE)->trim(keep);
  return CUDA_SUCCESS;
}

VGPU_API(cuMemPoolSetAttribute, (CUmemoryPool pool, CUmemPool_attribute attribute, void* value),
         (pool, attribute, value)) {
  Driver::get().pools.get(pool, CUDA_ERROR_INVALID_VALUE)->set(attribute, value);
  return CUDA_SUCCESS;
}

VGPU_API(cuMemPoolGetAttribute, (CUmemoryPool pool, CUmemPool_attribute attribute, void* value),
         (pool, attribute, value)) {
  Driver::get().pools.get(pool, CUDA_ERROR_INVALID_VALUE)->get(attribute, value);
  return CUDA_SUCCESS;
}

VGPU_API(cuMemPoolSetAccess, (CUmemoryPool pool, const CUmemAccessDesc* access, size_t count), (pool, access, count)) {
  Driver::get().pools.get(pool, CUDA_ERROR_INVALID_VALUE);
  require_value(access != nullptr || count == 0, "expected an array of accesses, found a null pointer");
  for (size_t i = 0; i < count; ++i) {
    require_value(
        access[i].location.type == CU_MEM_LOCATION_TYPE_DEVICE && access[i].flags == CU_MEM_ACCESS_FLAGS_PROT_READWRITE,
        "expected the device that owns the pool to keep its access");
    check_device(access[i].location.id);
  }
  return CUDA_SUCCESS;
}

VGPU_API(cuMemPoolGetAccess, (CUmemAccess_flags * flags, CUmemoryPool pool, CUmemLocation* location),
         (flags, pool, location)) {
  require_value(flags != nullptr && location != nullptr, "expected room for the flags, and a location");
  Driver::get().pools.get(pool, CUDA_ERROR_INVALID_VALUE);
  check_device(location->id);
  *flags = CU_MEM_ACCESS_FLAGS_PROT_READWRITE;
  return CUDA_SUCCESS;
}
