// Makes kernels ready without launching them: loading may wait for the device, which a recording stream must not.
#pragma once

#include "stream_queue.h"

namespace maskrt::cuda {

/// Takes launches as StreamQueue does and only loads their kernels.
class KernelLoader final : public kernels::CudaQueue {
 public:
  KernelLoader(KernelLibrary& library, StreamQueue& queue) : library_(library), queue_(queue) {}

  const kernels::Chip& chip() const override { return queue_.chip(); }
  void launch(const kernels::KernelLaunch& launch) override { library_.get(launch.kernel, launch.shared_bytes); }
  void set_bytes(void*, std::uint8_t, std::size_t) override {}
  int resident_blocks(const kernels::KernelLaunch& launch) override { return queue_.resident_blocks(launch); }
  kernels::TensorMap encode(const kernels::TiledMap& map) override { return queue_.encode(map); }
  kernels::TensorMap encode(const kernels::Im2colMap& map) override { return queue_.encode(map); }

 private:
  KernelLibrary& library_;
  StreamQueue& queue_;
};

}  // namespace maskrt::cuda
