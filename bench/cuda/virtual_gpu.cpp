#include "virtual_gpu.h"

#include <dlfcn.h>

#include <cstdlib>
#include <string>

namespace maskrt::bench {

std::optional<VirtualGpu> VirtualGpu::of(const cuda::Driver& driver) {
  void* library = dlopen(driver.library().c_str(), RTLD_NOW | RTLD_NOLOAD);
  if (library == nullptr) return std::nullopt;
  VirtualGpu gpu;
  gpu.take_counters_ = reinterpret_cast<decltype(&::vgpuTakeCounters)>(dlsym(library, "vgpuTakeCounters"));
  gpu.set_sample_blocks_ = reinterpret_cast<decltype(&::vgpuSetSampleBlocks)>(dlsym(library, "vgpuSetSampleBlocks"));
  dlclose(library);  // the driver keeps it open
  if (gpu.take_counters_ == nullptr || gpu.set_sample_blocks_ == nullptr) return std::nullopt;
  gpu.take_counters();  // it counts from here on
  return gpu;
}

void VirtualGpu::prepare_environment() {
  constexpr int unless_set = 0;
  const char* capability = std::getenv("VGPU_CC");
  setenv("VGPU_SMS", capability == nullptr || std::string(capability) == "9.0" ? "132" : "108", unless_set);
  setenv("VGPU_CHECKS", "0", unless_set);
  setenv("VGPU_SAMPLE_BLOCKS", "1", unless_set);  // memory then counts as written; how many run, each launch decides
  setenv("VGPU_IDLE_MS", "0", unless_set);
}

VgpuCounters VirtualGpu::take_counters() const {
  VgpuCounters counters;
  take_counters_(&counters);
  return counters;
}

}  // namespace maskrt::bench
