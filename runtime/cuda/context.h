// One GPU with its primary context, which all of a process's CUDA users share.
#pragma once

#include <memory>
#include <string>

#include "driver.h"
#include "kernels/cuda/launch.h"

namespace maskrt::cuda {

/// A device's primary context, retained while somebody holds this object. Thread-safe.
class Context {
 public:
  /// Throws Error where there is no such device, its chip is older than 7.5, or the driver is too old for its code.
  static std::shared_ptr<const Context> of_device(int ordinal, const Driver& driver = Driver::instance());

  /// Use of_device.
  Context(const Driver& driver, int ordinal);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  const Driver& driver() const { return driver_; }
  CUcontext get() const { return context_; }
  int ordinal() const { return ordinal_; }
  const std::string& name() const { return name_; }  ///< "NVIDIA H200"
  std::size_t total_memory() const { return total_memory_; }
  const kernels::Chip& chip() const { return chip_; }
  /// Success, or what every call in the context is answered since a kernel's fault or the loss of the device.
  CUresult failure() const noexcept;
  /// For what `chip` does not tell.
  int attribute(CUdevice_attribute which) const;

 private:
  const Driver& driver_;
  int ordinal_;
  CUdevice device_ = 0;
  CUcontext context_ = nullptr;
  std::string name_;
  std::size_t total_memory_ = 0;
  kernels::Chip chip_;
};

/// Makes a context the calling thread's current one while it lives, and then the one before it again. A context that
/// cannot be made current shows in the calls that follow, so that this serves destructors too.
class CurrentContext {
 public:
  explicit CurrentContext(const Context& context) noexcept
      : driver_(context.driver()), pushed_(driver_.cuCtxPushCurrent.status(context.get()) == CUDA_SUCCESS) {}
  ~CurrentContext() {
    CUcontext popped = nullptr;
    if (pushed_) driver_.cuCtxPopCurrent.status(&popped);
  }
  CurrentContext(const CurrentContext&) = delete;
  CurrentContext& operator=(const CurrentContext&) = delete;

 private:
  const Driver& driver_;
  bool pushed_;
};

/// While one lives, this thread may allocate, free and load although another thread of the process captures a stream in
/// CU_STREAM_CAPTURE_MODE_GLOBAL, which would otherwise fail these calls and spoil that capture. None of them is part
/// of a capture. CUDA driver API, cuThreadExchangeStreamCaptureMode.
class AnyCaptureMode {
 public:
  explicit AnyCaptureMode(const Driver& driver) noexcept : driver_(driver) { exchange(); }
  ~AnyCaptureMode() { exchange(); }
  AnyCaptureMode(const AnyCaptureMode&) = delete;
  AnyCaptureMode& operator=(const AnyCaptureMode&) = delete;

 private:
  void exchange() noexcept { driver_.cuThreadExchangeStreamCaptureMode.status(&mode_); }

  const Driver& driver_;
  CUstreamCaptureMode mode_ = CU_STREAM_CAPTURE_MODE_RELAXED;  // and then the thread's own
};

}  // namespace maskrt::cuda
