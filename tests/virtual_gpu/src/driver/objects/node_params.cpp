#include "driver/objects/node_params.h"

#include <any>

#include "driver/engine/works.h"
#include "driver/objects/copy_descriptors.h"

namespace vgpu::driver {
namespace {

template <class T>
const T& payload(const engine::Work& work) {
  const T* found = std::any_cast<T>(&work.payload);
  require_value(found != nullptr, "expected a node of the kind whose parameters are asked for");
  return *found;
}

template <class T>
void get_payload(const engine::Work& work, T* params) {
  require_value(params != nullptr, "expected room for the parameters, found a null pointer");
  *params = payload<T>(work);
}

/// Several pieces of work as one.
engine::Work joined(std::vector<engine::Work> parts) {
  engine::Work all = std::move(parts.front());
  std::vector<std::function<void(const engine::Execution&)>> runs{std::move(all.run)};
  for (std::size_t i = 1; i < parts.size(); ++i) {
    all.reads.insert(all.reads.end(), parts[i].reads.begin(), parts[i].reads.end());
    all.writes.insert(all.writes.end(), parts[i].writes.begin(), parts[i].writes.end());
    runs.push_back(std::move(parts[i].run));
  }
  all.run = [runs = std::move(runs)](const engine::Execution& execution) {
    for (const auto& run : runs) run(execution);
  };
  return all;
}

}  // namespace

engine::Work work_of(Driver& driver, const CUDA_KERNEL_NODE_PARAMS* params) {
  require_value(params != nullptr, "expected parameters, found a null pointer");
  require_value(params->func != nullptr || params->kern != nullptr, "expected a function or a kernel");
  auto request = std::make_shared<KernelLaunchRequest>();
  request->handle = params->func != nullptr ? params->func : reinterpret_cast<CUfunction>(params->kern);
  request->function = function_or_kernel(driver, request->handle);
  request->config.grid = {params->gridDimX, params->gridDimY, params->gridDimZ};
  request->config.block = {params->blockDimX, params->blockDimY, params->blockDimZ};
  request->config.dynamic_shared = params->sharedMemBytes;
  request->apply_required_cluster();
  check_launch(driver, *request);
  request->take_params(params->kernelParams, params->extra);
  return kernel_work(driver, std::move(request));
}

engine::Work work_of(Driver& driver, const CUDA_MEMCPY3D* params) {
  require_value(params != nullptr, "expected parameters, found a null pointer");
  std::vector<engine::Work> parts;
  for (const CopySlice& slice : slices_of(*params)) {
    parts.push_back(copy_work(driver, slice.destination, slice.source, slice.shape));
  }
  require_value(!parts.empty(), "expected a copy of at least one byte");
  engine::Work work = joined(std::move(parts));
  work.payload = *params;
  return work;
}

engine::Work work_of(Driver& driver, const CUDA_MEMSET_NODE_PARAMS* params) {
  require_value(params != nullptr, "expected parameters, found a null pointer");
  require_value(params->width > 0 && params->height > 0, "expected at least one element to set");
  require_value(params->elementSize == 1 || params->elementSize == 2 || params->elementSize == 4,
                "expected elements of 1, 2 or 4 bytes");
  return set_work(driver, params->dst, params->value, params->elementSize, params->width, params->height,
                  params->pitch);
}

engine::Work work_of(Driver&, const CUDA_HOST_NODE_PARAMS* params) {
  require_value(params != nullptr && params->fn != nullptr, "expected a function, found a null pointer");
  engine::Work work = engine::host_work([fn = params->fn, data = params->userData] { fn(data); });
  work.payload = *params;
  return work;
}

std::shared_ptr<const KernelLaunchRequest> request_of(const engine::Work& work) {
  return payload<std::shared_ptr<const KernelLaunchRequest>>(work);
}

void params_of(const engine::Work& work, CUDA_KERNEL_NODE_PARAMS* params) {
  require_value(params != nullptr, "expected room for the parameters, found a null pointer");
  const std::shared_ptr<const KernelLaunchRequest> request = request_of(work);
  *params = {};
  params->func = request->handle;
  params->gridDimX = request->config.grid[0];
  params->gridDimY = request->config.grid[1];
  params->gridDimZ = request->config.grid[2];
  params->blockDimX = request->config.block[0];
  params->blockDimY = request->config.block[1];
  params->blockDimZ = request->config.block[2];
  params->sharedMemBytes = request->config.dynamic_shared;
  params->kernelParams = const_cast<void**>(request->pointers.data());
  params->ctx = request->function->context->handle;
}

void params_of(const engine::Work& work, CUDA_MEMCPY3D* params) { get_payload(work, params); }
void params_of(const engine::Work& work, CUDA_MEMSET_NODE_PARAMS* params) { get_payload(work, params); }
void params_of(const engine::Work& work, CUDA_HOST_NODE_PARAMS* params) { get_payload(work, params); }

}  // namespace vgpu::driver
