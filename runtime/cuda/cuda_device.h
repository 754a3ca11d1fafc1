// An NVIDIA GPU as a device: the driver is opened at run time, the kernels travel inside the library.
#pragma once

#include <sys/types.h>

#include "fused_kernels.h"
#include "kernel_library.h"
#include "runtime/device.h"

namespace maskrt::cuda {

class CudaDevice final : public Device {
 public:
  /// Throws Error where there is no driver, no such device, or one that is too old.
  explicit CudaDevice(int ordinal);

  std::string name() const override;
  std::string description() const override;
  Precision default_precision() const override { return Precision::fp16; }
  std::set<std::string, std::less<>> wanted_rewrites() const override;
  graph::FusedKernels fused_kernels(Precision precision) const override { return cuda::fused_kernels(precision); }
  PeakRates peak(Precision precision, int threads) override;
  std::unique_ptr<Network> prepare(graph::LoweredNetwork network, Precision precision) override;
  std::unique_ptr<DeviceStream> open_stream(const StreamOptions& options) override;
  bool lost() const noexcept override { return library_.context()->failure() != CUDA_SUCCESS; }
  /// The driver keeps a context for the process that made it alone.
  void check_process() const override;

  KernelLibrary& library() { return library_; }

 private:
  KernelLibrary library_;
  const pid_t opened_by_;
};

}  // namespace maskrt::cuda
