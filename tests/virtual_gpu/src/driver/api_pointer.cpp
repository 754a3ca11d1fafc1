// CUDA driver API, 6.16 "Unified Addressing": what an address is.
#include <cstring>

#include "driver/objects/allocations.h"
#include "driver/objects/pool.h"

using namespace vgpu::driver;

namespace {

/// Writes one attribute; false where the address is none of the driver's, which leaves the value as it is.
bool write_attribute(CUpointer_attribute attribute, CUdeviceptr address, void* value) {
  Driver& driver = Driver::get();
  const auto found = driver.allocations->find(address);
  Allocation range = found.value_or(Allocation{});
  // Variables of modules, and what graphs allocate, are known to the machine only; their extents are unknown here.
  if (!found && !driver.device->memory().covers(address, 1)) return false;
  const auto put = [value](auto what) { std::memcpy(value, &what, sizeof what); };
  switch (attribute) {
    case CU_POINTER_ATTRIBUTE_CONTEXT:
      put(range.context != nullptr && !range.context->destroyed ? range.context->handle : CUcontext{nullptr});
      return true;
    case CU_POINTER_ATTRIBUTE_MEMORY_TYPE:
      put(static_cast<unsigned>(range.on_host() ? CU_MEMORYTYPE_HOST : CU_MEMORYTYPE_DEVICE));
      return true;
    case CU_POINTER_ATTRIBUTE_DEVICE_POINTER:
      require_value(range.kind != Allocation::Kind::registered, "expected memory that kernels can reach");
      put(address);
      return true;
    case CU_POINTER_ATTRIBUTE_HOST_POINTER:
      require_value(range.on_host() || range.kind == Allocation::Kind::managed, "expected memory of the host");
      put(address);
      return true;
    case CU_POINTER_ATTRIBUTE_SYNC_MEMOPS:
      put(0);
      return true;
    case CU_POINTER_ATTRIBUTE_BUFFER_ID:
      put(static_cast<unsigned long long>(range.id));
      return true;
    case CU_POINTER_ATTRIBUTE_IS_MANAGED:
      put(range.kind == Allocation::Kind::managed ? 1 : 0);
      return true;
    case CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL:
      put(range.context != nullptr ? range.context->device : 0);
      return true;
    case CU_POINTER_ATTRIBUTE_IS_LEGACY_CUDA_IPC_CAPABLE:
    case CU_POINTER_ATTRIBUTE_IS_GPU_DIRECT_RDMA_CAPABLE:
    case CU_POINTER_ATTRIBUTE_ALLOWED_HANDLE_TYPES:
      put(0);
      return true;
    case CU_POINTER_ATTRIBUTE_RANGE_START_ADDR:
    case CU_POINTER_ATTRIBUTE_MAPPING_BASE_ADDR:
      require_value(found.has_value(), "expected memory of an allocation");
      put(static_cast<CUdeviceptr>(range.address));
      return true;
    case CU_POINTER_ATTRIBUTE_RANGE_SIZE:
    case CU_POINTER_ATTRIBUTE_MAPPING_SIZE:
      require_value(found.has_value(), "expected memory of an allocation");
      put(static_cast<size_t>(range.bytes));
      return true;
    case CU_POINTER_ATTRIBUTE_MAPPED:
      put(1);
      return true;
    case CU_POINTER_ATTRIBUTE_ACCESS_FLAGS:
      put(static_cast<int>(CU_POINTER_ATTRIBUTE_ACCESS_FLAG_READWRITE));
      return true;
    case CU_POINTER_ATTRIBUTE_MEMPOOL_HANDLE:
      put(range.pool == nullptr ? CUmemoryPool{nullptr} : driver.pools.handle_of([&](const PoolObject& pool) {
        return &pool == range.pool.get();
      }));
      return true;
    default:
      throw Status(CUDA_ERROR_INVALID_VALUE, "expected an attribute of addresses that the virtual GPU knows");
  }
}

/// What an attribute is where the address is none of the driver's: cuPointerGetAttributes.
void write_default(CUpointer_attribute attribute, void* value) {
  switch (attribute) {
    case CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL: {
      const int none = CU_DEVICE_INVALID;
      std::memcpy(value, &none, sizeof none);
      return;
    }
    case CU_POINTER_ATTRIBUTE_MEMORY_TYPE:
    case CU_POINTER_ATTRIBUTE_IS_MANAGED:
    case CU_POINTER_ATTRIBUTE_MAPPED:
    case CU_POINTER_ATTRIBUTE_SYNC_MEMOPS:
      std::memset(value, 0, sizeof(int));
      return;
    default:
      std::memset(value, 0, sizeof(void*));
  }
}

}  // namespace

VGPU_API(cuPointerGetAttribute, (void* value, CUpointer_attribute attribute, CUdeviceptr address),
         (value, attribute, address)) {
  require_value(value != nullptr, "expected room for the value, found a null pointer");
  current_context_unchecked();
  require_value(write_attribute(attribute, address, value), "expected an address that the driver has given out");
  return CUDA_SUCCESS;
}

VGPU_API(cuPointerGetAttributes,
         (unsigned int count, CUpointer_attribute* attributes, void** values, CUdeviceptr address),
         (count, attributes, values, address)) {
  require_value(count > 0 && attributes != nullptr && values != nullptr, "expected arrays of attributes and values");
  current_context_unchecked();
  for (unsigned i = 0; i < count; ++i) {
    require_value(values[i] != nullptr, "expected room for every value, found a null pointer");
    if (!write_attribute(attributes[i], address, values[i])) write_default(attributes[i], values[i]);
  }
  return CUDA_SUCCESS;
}

VGPU_API(cuPointerSetAttribute, (const void* value, CUpointer_attribute attribute, CUdeviceptr address),
         (value, attribute, address)) {
  require_value(value != nullptr && attribute == CU_POINTER_ATTRIBUTE_SYNC_MEMOPS,
                "expected CU_POINTER_ATTRIBUTE_SYNC_MEMOPS and its value");
  current_context();
  require_value(Driver::get().allocations->find(address).has_value(), "expected an address inside an allocation");
  return CUDA_SUCCESS;
}
