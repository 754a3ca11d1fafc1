// Parameters of graph nodes, between the driver's structures and the engine's work.
#pragma once

#include <cuda.h>

#include <memory>

#include "driver/engine/work.h"
#include "driver/objects/launch.h"

namespace vgpu::driver {

// From parameters to work. Throw Status: CUDA_ERROR_INVALID_VALUE for null pointers and what a launch, copy or set of
// these parameters would be refused for.
engine::Work work_of(Driver& driver, const CUDA_KERNEL_NODE_PARAMS* params);
engine::Work work_of(Driver& driver, const CUDA_MEMCPY3D* params);
engine::Work work_of(Driver& driver, const CUDA_MEMSET_NODE_PARAMS* params);
engine::Work work_of(Driver& driver, const CUDA_HOST_NODE_PARAMS* params);

// And back. Throw Status with CUDA_ERROR_INVALID_VALUE where the work is of another kind, or `params` is null. Pointers
// in the parameters are valid as long as the node is and keeps its parameters.
void params_of(const engine::Work& work, CUDA_KERNEL_NODE_PARAMS* params);
void params_of(const engine::Work& work, CUDA_MEMCPY3D* params);
void params_of(const engine::Work& work, CUDA_MEMSET_NODE_PARAMS* params);
void params_of(const engine::Work& work, CUDA_HOST_NODE_PARAMS* params);

/// The launch that a kernel's work was made from.
std::shared_ptr<const KernelLaunchRequest> request_of(const engine::Work& work);

}  // namespace vgpu::driver
