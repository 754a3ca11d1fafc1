// CUDA driver API, 6.34 "Driver Entry Point Access".
#include <cstring>

#include "driver/objects/driver.h"

using namespace vgpu::driver;

namespace {

struct EntryPoint {
  const char* name;
  int version;
  void* function;
  int per_thread_version;
  void* per_thread;  ///< null where there is no such variant
};

template <class F>
void* address_of(F* function) {
  return reinterpret_cast<void*>(function);
}

#define VGPU_ENTRY(name, symbol, version) {#name, version, address_of(&symbol), 0, nullptr},
#define VGPU_STREAM_ENTRY(name, symbol, version, suffix, per_thread_version) \
  {#name, version, address_of(&symbol), per_thread_version, address_of(&symbol##suffix)},
const EntryPoint kEntryPoints[] = {
#include "driver/entry_points.inc"
};
#undef VGPU_ENTRY
#undef VGPU_STREAM_ENTRY

/// The newest function of that name which `version` of CUDA knows; null with the reason where there is none.
void* find(const char* name, int version, bool per_thread, CUdriverProcAddressQueryResult& result) {
  result = CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND;
  void* found = nullptr;
  int found_version = 0;
  for (const EntryPoint& entry : kEntryPoints) {
    if (std::strcmp(entry.name, name) != 0) continue;
    if (result == CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND) result = CU_GET_PROC_ADDRESS_VERSION_NOT_SUFFICIENT;
    if (entry.version > version || entry.version < found_version) continue;
    result = CU_GET_PROC_ADDRESS_SUCCESS;
    found_version = entry.version;
    const bool variant = per_thread && entry.per_thread != nullptr && entry.per_thread_version <= version;
    found = variant ? entry.per_thread : entry.function;
  }
  return found;
}

void* look_up(const char* name, void** function, int version, cuuint64_t flags,
              CUdriverProcAddressQueryResult& result) {
  require_value(name != nullptr && function != nullptr, "expected a name and room for the function");
  *function = nullptr;
  require_value(version <= Driver::version(), "expected a version that the driver knows");
  require_value(flags <= CU_GET_PROC_ADDRESS_PER_THREAD_DEFAULT_STREAM, "expected flags of cuGetProcAddress");
  return *function = find(name, version, (flags & CU_GET_PROC_ADDRESS_PER_THREAD_DEFAULT_STREAM) != 0, result);
}

}  // namespace

VGPU_API_NEEDING(Needs::nothing, cuGetProcAddress_v2,
                 (const char* name, void** function, int version, cuuint64_t flags,
                  CUdriverProcAddressQueryResult* status),
                 (name, function, version, flags, status)) {
  CUdriverProcAddressQueryResult result = CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND;
  look_up(name, function, version, flags, result);
  if (status != nullptr) *status = result;
  return CUDA_SUCCESS;
}

VGPU_API_NEEDING(Needs::nothing, cuGetProcAddress, (const char* name, void** function, int version, cuuint64_t flags),
                 (name, function, version, flags)) {
  CUdriverProcAddressQueryResult result = CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND;
  return look_up(name, function, version, flags, result) != nullptr ? CUDA_SUCCESS : CUDA_ERROR_NOT_FOUND;
}
