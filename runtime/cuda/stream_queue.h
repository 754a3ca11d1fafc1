// What launchers launch on: a stream of the driver's.
#pragma once

#include "kernel_library.h"

namespace maskrt::cuda {

/// A view of a stream, cheap to make. The stream, the caller's own or ours, belongs to the library's context. Belongs
/// to one thread at a time; the library may be shared.
class StreamQueue final : public kernels::CudaQueue {
 public:
  StreamQueue(KernelLibrary& library, CUstream stream) : library_(library), stream_(stream) {}

  const kernels::Chip& chip() const override { return context().chip(); }
  void launch(const kernels::KernelLaunch& launch) override;
  void set_bytes(void* address, std::uint8_t value, std::size_t bytes) override;
  int resident_blocks(const kernels::KernelLaunch& launch) override;
  kernels::TensorMap encode(const kernels::TiledMap& map) override;
  kernels::TensorMap encode(const kernels::Im2colMap& map) override;

 private:
  const Context& context() const { return *library_.context(); }
  bool may_overlap() const;
  KernelLibrary& library_;
  CUstream stream_;
};

}  // namespace maskrt::cuda
