// CUDA driver API, 6.2 "Error Handling", 6.3 "Initialization", 6.4 "Version Management"; and what is not in it.
#include <cstring>

#include "driver/objects/driver.h"

using namespace vgpu::driver;

VGPU_API_NEEDING(Needs::nothing, cuInit, (unsigned int flags), (flags)) {
  require_value(flags == 0, "expected flags of 0");
  Driver::init();
  return CUDA_SUCCESS;
}

VGPU_API_NEEDING(Needs::nothing, cuDriverGetVersion, (int* version), (version)) {
  require_value(version != nullptr, "expected room for the version, found a null pointer");
  *version = Driver::version();
  return CUDA_SUCCESS;
}

VGPU_API_NEEDING(Needs::nothing, cuGetErrorString, (CUresult error, const char** text), (error, text)) {
  require_value(text != nullptr, "expected room for the text, found a null pointer");
  *text = status_text(error);
  return *text != nullptr ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

VGPU_API_NEEDING(Needs::nothing, cuGetErrorName, (CUresult error, const char** name), (error, name)) {
  require_value(name != nullptr, "expected room for the name, found a null pointer");
  *name = status_name(error);
  return *name != nullptr ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

extern "C" __attribute__((visibility("default"))) void vgpuGetLeaks(VgpuLeaks* found) {
  std::memset(found, 0, sizeof *found);
  try {
    *found = leaks(Driver::get());
  } catch (const Status&) {
    // Nothing has been made before cuInit.
  }
}

extern "C" __attribute__((visibility("default"))) size_t vgpuGetReportCount() {
  try {
    return Driver::get().records->reports();
  } catch (const Status&) {
    return 0;
  }
}

extern "C" __attribute__((visibility("default"))) void vgpuTakeCounters(VgpuCounters* counters) {
  std::memset(counters, 0, sizeof *counters);
  try {
    Driver& driver = Driver::get();
    driver.device->settings().counters = true;
    *counters = driver.records->take_counters();
  } catch (const Status&) {
    // Nothing has run before cuInit.
  }
}

extern "C" __attribute__((visibility("default"))) void vgpuSetSampleBlocks(uint32_t blocks) {
  try {
    Driver::get().device->settings().sample_blocks = blocks;
  } catch (const Status&) {
    // The environment decides what cuInit begins with.
  }
}
