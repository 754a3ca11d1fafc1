// Kernel launches: arguments checked as the driver checks them, parameters taken over, and the work made of both.
#pragma once

#include <cuda.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "driver/engine/work.h"
#include "driver/objects/module.h"
#include "machine/device.h"

namespace vgpu::driver {

/// One launch with the parameters that the program passed; graph nodes keep theirs as Work::payload.
struct KernelLaunchRequest {
  CUfunction handle = nullptr;  ///< as given: a function or a kernel
  std::shared_ptr<FunctionObject> function;
  LaunchConfig config;
  bool cooperative = false;
  bool programmatic = false;
  int priority = 0;
  std::vector<std::uint8_t> params;  ///< each at the offset that Program::parameters gives
  std::vector<void*> pointers;       ///< into params, for queries that return kernelParams

  KernelLaunchRequest() = default;
  KernelLaunchRequest(const KernelLaunchRequest& other);
  KernelLaunchRequest& operator=(const KernelLaunchRequest&) = delete;
  /// Copies the parameters: from an array of pointers, one a parameter, or from a buffer that `extra` names. Throws
  /// Status with CUDA_ERROR_INVALID_VALUE.
  void take_params(void* const* kernel_params, void* const* extra);
  /// cuLaunchKernelEx's attributes, one by one. Throws Status with CUDA_ERROR_INVALID_VALUE, CUDA_ERROR_NOT_SUPPORTED.
  void apply(const CUlaunchAttribute& attribute);
  /// Where the launch names no cluster, takes the size that the kernel requires: in PTX, or by cuFuncSetAttribute.
  void apply_required_cluster();
  void set_attribute(CUlaunchAttributeID id, const CUlaunchAttributeValue& value);
  void get_attribute(CUlaunchAttributeID id, CUlaunchAttributeValue& value) const;

 private:
  void set_pointers();
};

/// Throws Status: CUDA_ERROR_INVALID_HANDLE for the function; for the configuration CUDA_ERROR_INVALID_VALUE,
/// CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES (registers), CUDA_ERROR_INVALID_CLUSTER_SIZE,
/// CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE.
void check_launch(const Driver& driver, const KernelLaunchRequest& request);

/// The work of a request that check_launch has passed; its payload is the request.
engine::Work kernel_work(Driver& driver, std::shared_ptr<const KernelLaunchRequest> request);

}  // namespace vgpu::driver
