#include "context.h"

#include "resident_clusters.h"

namespace maskrt::cuda {

std::shared_ptr<const Context> Context::of_device(int ordinal, const Driver& driver) {
  return std::make_shared<const Context>(driver, ordinal);
}

Context::Context(const Driver& driver, int ordinal) : driver_(driver), ordinal_(ordinal) {
  int devices = 0;
  driver_.cuDeviceGetCount(&devices);
  if (ordinal < 0 || ordinal >= devices)
    throw Error("CUDA device: expected a number from 0 to " + std::to_string(devices - 1) + ", found " +
                std::to_string(ordinal));
  driver_.cuDeviceGet(&device_, ordinal);
  char name[256] = "";
  driver_.cuDeviceGetName(name, static_cast<int>(sizeof name), device_);
  name_ = name;
  driver_.cuDeviceTotalMem(&total_memory_, device_);

  const int major = attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR),
            minor = attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
  chip_.compute_capability = 10 * major + minor;
  if (chip_.compute_capability < 75)
    throw Error("CUDA device " + std::to_string(ordinal) + ": expected compute capability 7.5 or newer, found " +
                std::to_string(major) + "." + std::to_string(minor) + " (" + name_ + ")");
  if (chip_.compute_capability == 90 && driver_.version() < kOldestDriverOfHopper)
    throw Error("CUDA device " + std::to_string(ordinal) + ": expected a driver for CUDA " +
                dotted(kOldestDriverOfHopper) + " or newer for compute capability 9.0 (" + name_ + "), found " +
                driver_.library() + ", which is for CUDA " + dotted(driver_.version()));
  chip_.multiprocessors = attribute(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
  chip_.shared_per_block = static_cast<std::uint32_t>(attribute(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN));
  chip_.shared_per_multiprocessor =
      static_cast<std::uint32_t>(attribute(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR));
  chip_.l2_bytes = static_cast<std::uint32_t>(attribute(CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE));
  driver_.cuDevicePrimaryCtxRetain(&context_, device_);
  if (const CUresult status = failure(); status != CUDA_SUCCESS) {
    driver_.cuDevicePrimaryCtxRelease.status(device_);
    throw DriverError("CUDA device " + std::to_string(ordinal) + ": expected a primary context that works, found " +
                          driver_.describe(status) + " from what this process did before",
                      status);
  }
  try {
    const CurrentContext current(*this);
    chip_.resident_clusters = resident_clusters(driver_, chip_);
  } catch (...) {
    driver_.cuDevicePrimaryCtxRelease.status(device_);
    throw;
  }
}

Context::~Context() { driver_.cuDevicePrimaryCtxRelease.status(device_); }

CUresult Context::failure() const noexcept {
  const CurrentContext current(*this);
  std::size_t free = 0, total = 0;
  return driver_.cuMemGetInfo.status(&free, &total);  // any call would tell; this one changes nothing
}

int Context::attribute(CUdevice_attribute which) const {
  int value = 0;
  driver_.cuDeviceGetAttribute(&value, which, device_);
  return value;
}

}  // namespace maskrt::cuda
