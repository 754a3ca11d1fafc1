// Lets launchers check what a step will give them, when a plan is made: nothing is loaded, encoded or launched.
#pragma once

#include "kernels/cuda/launch.h"

namespace maskrt::cuda {

/// Takes launches and carries out none. A launcher looks up its kernel and checks types, shapes, strides and alignment
/// as on any queue.
class CheckingQueue final : public kernels::CudaQueue {
 public:
  explicit CheckingQueue(const kernels::Chip& chip) : chip_(chip) {}

  const kernels::Chip& chip() const override { return chip_; }
  void launch(const kernels::KernelLaunch&) override {}
  void set_bytes(void*, std::uint8_t, std::size_t) override {}
  int resident_blocks(const kernels::KernelLaunch&) override { return chip_.multiprocessors; }
  kernels::TensorMap encode(const kernels::TiledMap&) override { return {}; }
  kernels::TensorMap encode(const kernels::Im2colMap&) override { return {}; }

 private:
  const kernels::Chip& chip_;
};

}  // namespace maskrt::cuda
