#include "recorder.h"

namespace maskrt::bench {

void replay(const Operation& operation, kernels::CudaQueue& queue) {
  if (!operation.is_launch()) {
    queue.set_bytes(operation.address, operation.value, operation.set_bytes);
    return;
  }
  kernels::KernelLaunch launch = operation.launch;
  launch.parameters = operation.parameters;
  queue.launch(launch);
}

void Recorder::launch(const kernels::KernelLaunch& launch) {
  Operation operation;
  operation.launch = launch;
  operation.launch.parameters = {};
  operation.parameters.assign(launch.parameters.begin(), launch.parameters.end());
  operations_.push_back(std::move(operation));
}

void Recorder::set_bytes(void* address, std::uint8_t value, std::size_t bytes) {
  if (bytes == 0) return;
  Operation operation;
  operation.address = address;
  operation.set_bytes = bytes;
  operation.value = value;
  operations_.push_back(std::move(operation));
}

}  // namespace maskrt::bench
