#include "cuda_devices.h"

#include <map>
#include <memory>
#include <mutex>

#include "cuda_device.h"

namespace maskrt::cuda {

Device& open_cuda_device(int ordinal) {
  // Never destroyed: the driver may have shut down before a static destructor runs, and models may outlive both.
  static auto& mutex = *new std::mutex;
  static auto& opened = *new std::map<int, std::unique_ptr<CudaDevice>>;
  const std::lock_guard lock(mutex);
  std::unique_ptr<CudaDevice>& device = opened[ordinal];
  if (device == nullptr) device = std::make_unique<CudaDevice>(ordinal);
  return *device;
}

}  // namespace maskrt::cuda
