#include "driver.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>

namespace maskrt::cuda {

std::string dotted(int version) { return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10); }

namespace {

template <typename Function>
Function symbol(void* library, const char* name) {
  return reinterpret_cast<Function>(dlsym(library, name));
}

}  // namespace

void Driver::CloseLibrary::operator()(void* library) const noexcept { dlclose(library); }

const Driver& Driver::instance() {
  // Never destroyed: what other static objects hold on devices may be given back after it would be.
  static const Driver& driver = *[] {
    const char* named = std::getenv("MASKRT_CUDA_DRIVER");
    return new Driver(named != nullptr && *named != '\0' ? named : "libcuda.so.1");
  }();
  return driver;
}

Driver::Driver(const std::string& library)
    : library_(library), handle_(dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL)) {
  if (handle_ == nullptr) {
    const char* reason = dlerror();
    throw Error("CUDA driver: expected NVIDIA's driver library " + library_ +
                ", could not open it: " + (reason != nullptr ? reason : "unknown reason"));
  }
  const auto get_version = symbol<decltype(&::cuDriverGetVersion)>(handle_.get(), "cuDriverGetVersion");
  if (get_version == nullptr || get_version(&version_) != CUDA_SUCCESS)
    throw Error("CUDA driver: expected a driver library with the entry point cuDriverGetVersion, found none in " +
                library_);
  if (version_ < kOldestDriver)
    throw Error("CUDA driver: expected one for CUDA " + dotted(kOldestDriver) + " or newer, found " + library_ +
                ", which is for CUDA " + dotted(version_));

  get_proc_address_ = symbol<decltype(&::cuGetProcAddress)>(handle_.get(), "cuGetProcAddress_v2");
  error_name_ = symbol<decltype(&::cuGetErrorName)>(handle_.get(), "cuGetErrorName");
  error_text_ = symbol<decltype(&::cuGetErrorString)>(handle_.get(), "cuGetErrorString");
  if (get_proc_address_ == nullptr || error_name_ == nullptr || error_text_ == nullptr)
    throw Error(
        "CUDA driver: expected the entry points cuGetProcAddress_v2, cuGetErrorName and cuGetErrorString, found "
        "not all of them in " +
        library_);
#define MASKRT_CUDA_FIND(name) find(name);
  MASKRT_CUDA_ENTRY_POINTS(MASKRT_CUDA_FIND)
#undef MASKRT_CUDA_FIND
  initialise();
}

template <typename Function>
void Driver::find(EntryPoint<Function>& entry) {
  void* function = nullptr;
  CUdriverProcAddressQueryResult found = CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND;
  const int asked = std::min(CUDA_VERSION, version_);
  const CUresult status = get_proc_address_(entry.name_, &function, asked, CU_GET_PROC_ADDRESS_DEFAULT, &found);
  if (status != CUDA_SUCCESS || function == nullptr)
    throw Error("CUDA driver: expected the entry point " + std::string(entry.name_) + " of version " + dotted(asked) +
                ", found none in " + library_ + ", which is for CUDA " + dotted(version_));
  entry.function_ = reinterpret_cast<Function>(function);
}

void Driver::initialise() const {
  const CUresult status = cuInit.status(0);
  int devices = 0;
  if (status == CUDA_ERROR_NO_DEVICE ||
      (status == CUDA_SUCCESS && cuDeviceGetCount.status(&devices) == CUDA_SUCCESS && devices == 0))
    throw DriverError("CUDA driver: expected a GPU, " + library_ + " (CUDA " + dotted(version_) + ") found none",
                      CUDA_ERROR_NO_DEVICE);
  check(status, "cuInit");
}

std::string Driver::describe(CUresult status) const {
  const char *name = nullptr, *text = nullptr;
  if (error_name_(status, &name) != CUDA_SUCCESS || name == nullptr)
    return "error " + std::to_string(static_cast<int>(status));
  if (error_text_(status, &text) != CUDA_SUCCESS || text == nullptr) return name;
  return std::string(name) + " (" + text + ")";
}

void Driver::fail(CUresult status, const char* call) const {
  throw DriverError(std::string(call) + ": the CUDA driver answered " + describe(status), status);
}

}  // namespace maskrt::cuda
