// The device code that maskrt carries, loaded into one context as it is asked for.
#pragma once

#include <map>
#include <mutex>
#include <span>
#include <string>

#include "handle.h"
#include "kernels/cuda/device_code.h"
#include "kernels/cuda/image_archive.h"
#include "kernels/cuda/launch.h"

namespace maskrt::cuda {

/// A kernel ready to launch in its context.
struct LoadedKernel {
  CUfunction function = nullptr;
  std::uint32_t dynamic_shared = 0;  ///< bytes that it may be launched with so far
};

/// Thread-safe.
class KernelLibrary {
 public:
  explicit KernelLibrary(std::shared_ptr<const Context> context,
                         std::span<const kernels::DeviceCode> code = kernels::device_code());

  const std::shared_ptr<const Context>& context() const { return context_; }

  /// Loads the kernel's file on first use, its machine code or, where there is none that the driver takes, its PTX,
  /// which the driver then compiles; and lets the kernel have that much dynamic shared memory. Loading may wait for the
  /// device, so a stream that captures should find its kernels loaded. Throws Error that names the kernel where it does
  /// not exist, the device cannot run what the file holds, or the memory is more than a block can have.
  CUfunction get(const kernels::KernelName& name, std::uint32_t dynamic_shared);

 private:
  using Module = Handle<CUmodule, &Driver::cuModuleUnload>;
  const Module& module_of(const std::string& file);
  Module load(const std::string& file, const kernels::ImageArchive& images);
  void prefer_shared_memory(const LoadedKernel& kernel) const;
  void grant(LoadedKernel& kernel, const std::string& name, std::uint32_t dynamic_shared) const;

  std::shared_ptr<const Context> context_;
  std::span<const kernels::DeviceCode> code_;
  std::mutex mutex_;
  bool machine_code_ = true;                                  // until the driver refuses some
  std::map<std::string, Module, std::less<>> modules_;        // by file
  std::map<std::string, LoadedKernel, std::less<>> kernels_;  // by "file: entry"
};

}  // namespace maskrt::cuda
