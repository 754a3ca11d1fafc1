// Device libraries are opened on first use, so that libmaskrt itself needs nothing but libc and libstdc++.
#include <dlfcn.h>

#include <charconv>
#include <map>
#include <mutex>
#include <string_view>
#include <vector>

#include "device.h"
#include "runtime/support/brief_spinning.h"
#include "runtime/support/fork_aware_mutex.h"
#include "runtime/support/library_search.h"
#if MASKRT_CUDA
#include "runtime/cuda/cuda_devices.h"
#endif

namespace maskrt {
namespace {

/// MASKRT_CPU_DEVICE=FILE names the library outright; otherwise it lies beside libmaskrt, or in lib/ beside bin/.
std::vector<std::string> places(const std::string& name) {
  std::string variable = "MASKRT_" + name + "_DEVICE";
  for (char& c : variable)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return library_places("libmaskrt_" + name + ".so", variable);
}

Device& load(const std::string& name) {
  const BriefSpinning spinning;  // for the OpenMP runtime that the library may bring with it
  std::string tried;
  for (const std::string& place : places(name)) {
    void* library = dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
      const char* reason = dlerror();
      tried += (tried.empty() ? "" : "; ") + std::string(reason != nullptr ? reason : place + ": unknown reason");
      continue;
    }
    const auto open = reinterpret_cast<DeviceOpen>(dlsym(library, "maskrt_device_open"));
    Device* device = open != nullptr ? open(kDeviceInterfaceVersion) : nullptr;
    if (device == nullptr)
      throw Error("device " + name + ": expected a device library of interface version " +
                  std::to_string(kDeviceInterfaceVersion) + ", found another in " + place);
    return *device;  // libraries stay open for the life of the process: devices own threads and caches
  }
  throw Error("device " + name + ": its library could not be opened (" + tried + ")");
}

#if MASKRT_CUDA
/// The ordinal of "cuda" or "cuda:N"; -1 for other names.
int gpu_ordinal(std::string_view name) {
  if (name == "cuda") return 0;
  int ordinal = -1;
  if (!name.starts_with("cuda:")) return -1;
  const char* const end = name.data() + name.size();
  const auto [rest, error] = std::from_chars(name.data() + 5, end, ordinal);
  return error == std::errc() && rest == end && ordinal >= 0 ? ordinal : -1;
}
#endif

}  // namespace

std::shared_ptr<Device> open_device(const std::string& name) {
#if MASKRT_CUDA
  if (const int ordinal = gpu_ordinal(name); ordinal >= 0) return cuda::open_cuda_device(ordinal);
#else
  if (name.starts_with("cuda")) throw Error("device " + name + ": expected a maskrt built for GPUs, found one without");
#endif
  static ForkAwareMutex mutex("opening a device");
  static std::map<std::string, Device*> opened;
  if (name != "cpu") throw Error("device: expected auto, cpu, cuda or cuda:N, found " + name);
  const std::lock_guard lock(mutex);
  Device*& device = opened[name];
  if (device == nullptr) device = &load(name);
  return {std::shared_ptr<void>(), device};  // never closed
}

}  // namespace maskrt
