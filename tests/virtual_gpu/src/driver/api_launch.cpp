// CUDA driver API, 6.24 "Execution Control": launches.
#include "driver/objects/launch.h"
#include "driver/objects/streams.h"

using namespace vgpu::driver;

namespace {

/// The first driver whose graphs have programmatic edges.
constexpr int kProgrammaticEdges = 12030;

struct Grid {
  unsigned x, y, z;
};

CUresult launch(std::shared_ptr<KernelLaunchRequest> request, CUstream stream_handle, void** params, void** extra) {
  Driver& driver = Driver::get();
  const StreamRef stream = stream_of(driver, stream_handle);
  require(request->function->context == stream.context, CUDA_ERROR_INVALID_HANDLE,
          "expected a function and a stream of one context");
  request->apply_required_cluster();
  check_launch(driver, *request);
  request->take_params(params, extra);
  require(!request->programmatic || Driver::version() >= kProgrammaticEdges ||
              stream->capture_status() == vgpu::engine::CaptureStatus::none,
          CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED,
          "expected no programmatic dependent launch in a capture of a driver before 12.3");
  driver.inject(FailureKind::launch, CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES);
  stream->submit(kernel_work(driver, std::move(request)));
  return CUDA_SUCCESS;
}

std::shared_ptr<KernelLaunchRequest> request_of(CUfunction function, Grid grid, Grid block, unsigned shared) {
  auto request = std::make_shared<KernelLaunchRequest>();
  request->handle = function;
  request->function = function_or_kernel(Driver::get(), function);
  request->config.grid = {grid.x, grid.y, grid.z};
  request->config.block = {block.x, block.y, block.z};
  request->config.dynamic_shared = shared;
  return request;
}

}  // namespace

VGPU_STREAM_API(cuLaunchKernel, _ptsz,
                (CUfunction function, unsigned int grid_x, unsigned int grid_y, unsigned int grid_z,
                 unsigned int block_x, unsigned int block_y, unsigned int block_z, unsigned int shared, CUstream stream,
                 void** params, void** extra),
                (function, grid_x, grid_y, grid_z, block_x, block_y, block_z, shared, stream, params, extra)) {
  return launch(request_of(function, {grid_x, grid_y, grid_z}, {block_x, block_y, block_z}, shared), stream, params,
                extra);
}

VGPU_STREAM_API(cuLaunchKernelEx, _ptsz,
                (const CUlaunchConfig* config, CUfunction function, void** params, void** extra),
                (config, function, params, extra)) {
  require_value(config != nullptr && (config->attrs != nullptr || config->numAttrs == 0),
                "expected a launch configuration and its attributes, found a null pointer");
  std::shared_ptr<KernelLaunchRequest> request =
      request_of(function, {config->gridDimX, config->gridDimY, config->gridDimZ},
                 {config->blockDimX, config->blockDimY, config->blockDimZ}, config->sharedMemBytes);
  for (unsigned i = 0; i < config->numAttrs; ++i) request->apply(config->attrs[i]);
  return launch(std::move(request), config->hStream, params, extra);
}

VGPU_STREAM_API(cuLaunchCooperativeKernel, _ptsz,
                (CUfunction function, unsigned int grid_x, unsigned int grid_y, unsigned int grid_z,
                 unsigned int block_x, unsigned int block_y, unsigned int block_z, unsigned int shared, CUstream stream,
                 void** params),
                (function, grid_x, grid_y, grid_z, block_x, block_y, block_z, shared, stream, params)) {
  std::shared_ptr<KernelLaunchRequest> request =
      request_of(function, {grid_x, grid_y, grid_z}, {block_x, block_y, block_z}, shared);
  request->cooperative = true;
  return launch(std::move(request), stream, params, nullptr);
}
