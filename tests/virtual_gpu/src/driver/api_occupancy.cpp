// CUDA driver API, 6.25 "Occupancy".
#include <algorithm>

#include "driver/objects/chip.h"
#include "driver/objects/launch.h"
#include "driver/objects/occupancy.h"

using namespace vgpu::driver;

namespace {

/// Grid and block that hold the most threads at a time.
CUresult best_block(int* grid, int* block, CUfunction handle, CUoccupancyB2DSize shared_of_block, size_t shared,
                    int limit) {
  require_value(grid != nullptr && block != nullptr, "expected room for both answers, found a null pointer");
  Driver& driver = Driver::get();
  const std::shared_ptr<FunctionObject> function = function_or_kernel(driver, handle);
  const auto most = static_cast<int>(max_threads(*function));
  std::uint32_t best_threads = 0;
  for (int threads = limit > 0 ? std::min(limit, most) : most; threads > 0;
       threads = (threads - 1) / vgpu::kWarpSize * vgpu::kWarpSize) {
    const size_t bytes = shared_of_block != nullptr ? shared_of_block(threads) : shared;
    const std::uint32_t blocks = active_blocks(driver, *function, static_cast<std::uint32_t>(threads), bytes);
    if (blocks * static_cast<std::uint32_t>(threads) <= best_threads) continue;
    best_threads = blocks * static_cast<std::uint32_t>(threads);
    *block = threads;
    *grid = static_cast<int>(blocks * driver.settings().sms);
  }
  require_value(best_threads > 0, "expected a kernel of which some block fits a multiprocessor");
  return CUDA_SUCCESS;
}

/// The launch that a CUlaunchConfig describes, as far as occupancy goes.
KernelLaunchRequest request_of(CUfunction handle, const CUlaunchConfig* config) {
  require_value(config != nullptr && (config->attrs != nullptr || config->numAttrs == 0),
                "expected a launch configuration, found a null pointer");
  KernelLaunchRequest request;
  request.function = function_or_kernel(Driver::get(), handle);
  request.config.grid = {config->gridDimX, config->gridDimY, config->gridDimZ};
  request.config.block = {config->blockDimX, config->blockDimY, config->blockDimZ};
  request.config.dynamic_shared = config->sharedMemBytes;
  for (unsigned i = 0; i < config->numAttrs; ++i) request.apply(config->attrs[i]);
  request.apply_required_cluster();
  return request;
}

std::uint32_t threads_of(const KernelLaunchRequest& request) {
  return request.config.block[0] * request.config.block[1] * request.config.block[2];
}

}  // namespace

VGPU_API(cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags,
         (int* blocks, CUfunction function, int threads, size_t shared, unsigned int flags),
         (blocks, function, threads, shared, flags)) {
  require_value(blocks != nullptr && threads > 0 && flags <= CU_OCCUPANCY_DISABLE_CACHING_OVERRIDE,
                "expected room for the answer, at least one thread and known flags");
  Driver& driver = Driver::get();
  *blocks = static_cast<int>(
      active_blocks(driver, *function_or_kernel(driver, function), static_cast<std::uint32_t>(threads), shared));
  return CUDA_SUCCESS;
}

VGPU_API(cuOccupancyMaxActiveBlocksPerMultiprocessor, (int* blocks, CUfunction function, int threads, size_t shared),
         (blocks, function, threads, shared)) {
  return cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags_body(blocks, function, threads, shared, 0);
}

VGPU_API(cuOccupancyMaxPotentialBlockSizeWithFlags,
         (int* grid, int* block, CUfunction function, CUoccupancyB2DSize shared_of_block, size_t shared, int limit,
          unsigned int flags),
         (grid, block, function, shared_of_block, shared, limit, flags)) {
  require_value(flags <= CU_OCCUPANCY_DISABLE_CACHING_OVERRIDE, "expected known flags");
  return best_block(grid, block, function, shared_of_block, shared, limit);
}

VGPU_API(cuOccupancyMaxPotentialBlockSize,
         (int* grid, int* block, CUfunction function, CUoccupancyB2DSize shared_of_block, size_t shared, int limit),
         (grid, block, function, shared_of_block, shared, limit)) {
  return best_block(grid, block, function, shared_of_block, shared, limit);
}

VGPU_API(cuOccupancyAvailableDynamicSMemPerBlock, (size_t * bytes, CUfunction function, int blocks, int threads),
         (bytes, function, blocks, threads)) {
  require_value(bytes != nullptr && blocks > 0 && threads > 0, "expected room for the answer, blocks and threads");
  Driver& driver = Driver::get();
  *bytes = available_dynamic_shared(driver, *function_or_kernel(driver, function), static_cast<std::uint32_t>(blocks),
                                    static_cast<std::uint32_t>(threads));
  return CUDA_SUCCESS;
}

VGPU_API(cuOccupancyMaxPotentialClusterSize, (int* blocks, CUfunction function, const CUlaunchConfig* config),
         (blocks, function, config)) {
  require_value(blocks != nullptr, "expected room for the answer, found a null pointer");
  const KernelLaunchRequest request = request_of(function, config);
  const Driver& driver = Driver::get();
  const std::uint32_t held =
      active_blocks(driver, *request.function, threads_of(request), request.config.dynamic_shared) *
      driver.settings().sms;
  std::uint32_t most = driver.device->limits().cluster_blocks;
  if (request.function->settings->non_portable_cluster == 0) most = std::min(most, 8u);
  while (most > held && most > 1) most /= 2;
  *blocks = held == 0 ? 0 : static_cast<int>(most);
  return CUDA_SUCCESS;
}

VGPU_API(cuOccupancyMaxActiveClusters, (int* clusters, CUfunction function, const CUlaunchConfig* config),
         (clusters, function, config)) {
  require_value(clusters != nullptr, "expected room for the answer, found a null pointer");
  const KernelLaunchRequest request = request_of(function, config);
  check_launch(Driver::get(), request);
  const Driver& driver = Driver::get();
  const vgpu::Dim3& cluster = request.config.cluster;
  const std::uint32_t held =
      active_blocks(driver, *request.function, threads_of(request), request.config.dynamic_shared);
  std::uint32_t count = 0;
  for (const std::uint32_t sms : cluster_domains(driver.settings().sms))
    count += held * sms / (cluster[0] * cluster[1] * cluster[2]);
  *clusters = static_cast<int>(count);
  return CUDA_SUCCESS;
}
