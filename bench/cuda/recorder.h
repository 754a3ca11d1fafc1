// Launches kept, so that each can be sent again alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/cuda/launch.h"

namespace maskrt::bench {

/// What a launcher sent to its queue: a launch, or bytes that were set where `set_bytes` is not 0.
struct Operation {
  kernels::KernelLaunch launch;
  std::vector<std::byte> parameters;  ///< the launch's own, which `launch` does not view
  void* address = nullptr;
  std::size_t set_bytes = 0;
  std::uint8_t value = 0;

  bool is_launch() const { return set_bytes == 0; }
};

/// Sends it, to the memory that it was recorded with.
void replay(const Operation& operation, kernels::CudaQueue& queue);

/// Records submitted work and forwards queries to another queue, which must outlive it.
class Recorder final : public kernels::CudaQueue {
 public:
  explicit Recorder(kernels::CudaQueue& queue) : queue_(queue) {}

  const kernels::Chip& chip() const override { return queue_.chip(); }
  void launch(const kernels::KernelLaunch& launch) override;
  void set_bytes(void* address, std::uint8_t value, std::size_t bytes) override;
  int resident_blocks(const kernels::KernelLaunch& launch) override { return queue_.resident_blocks(launch); }
  kernels::TensorMap encode(const kernels::TiledMap& map) override { return queue_.encode(map); }
  kernels::TensorMap encode(const kernels::Im2colMap& map) override { return queue_.encode(map); }

  std::vector<Operation> take() { return std::move(operations_); }

 private:
  kernels::CudaQueue& queue_;
  std::vector<Operation> operations_;
};

}  // namespace maskrt::bench
