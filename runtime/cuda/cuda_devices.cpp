#include "cuda_devices.h"

#include <map>
#include <memory>
#include <mutex>

#include "cuda_device.h"
#include "runtime/support/fork_aware_mutex.h"

namespace maskrt::cuda {

std::shared_ptr<Device> open_cuda_device(int ordinal) {
  // Never destroyed: models may outlive static objects.
  static auto& mutex = *new ForkAwareMutex("opening a device");
  static auto& opened = *new std::map<int, std::weak_ptr<CudaDevice>>;
  const std::lock_guard lock(mutex);
  std::shared_ptr<CudaDevice> device = opened[ordinal].lock();
  if (device == nullptr) {
    opened[ordinal] = device = std::make_shared<CudaDevice>(ordinal);
    return device;
  }
  device->check_process();
  if (device->lost()) {
    throw Error(device->name() + ": expected a GPU that works, found one that has failed and that models or sessions " +
                "still hold: it can be opened again when they are gone");
  }
  return device;
}

}  // namespace maskrt::cuda
