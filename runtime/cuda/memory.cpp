#include "memory.h"

namespace maskrt::cuda {

DeviceMemory::DeviceMemory(std::shared_ptr<const Context> context, std::size_t bytes)
    : handle_(std::move(context)), bytes_(bytes) {
  if (bytes == 0) return;
  const CurrentContext current(handle_.context());
  const Driver& driver = handle_.driver();
  const AnyCaptureMode relaxed(driver);
  const CUresult status = driver.cuMemAlloc.status(handle_.put(), bytes);
  if (status == CUDA_ERROR_OUT_OF_MEMORY) {
    std::size_t free = 0, total = 0;
    driver.cuMemGetInfo.status(&free, &total);
    throw DriverError("CUDA device " + std::to_string(handle_.context().ordinal()) + ": expected " +
                          std::to_string(bytes) + " bytes of device memory, found " + std::to_string(free) + " of " +
                          std::to_string(total) + " free",
                      status);
  }
  driver.check(status, "cuMemAlloc");
}

PinnedMemory::PinnedMemory(std::shared_ptr<const Context> context, std::size_t bytes)
    : handle_(std::move(context)), bytes_(bytes) {
  if (bytes == 0) return;
  const CurrentContext current(handle_.context());
  const AnyCaptureMode relaxed(handle_.driver());
  const CUresult status = handle_.driver().cuMemHostAlloc.status(handle_.put(), bytes, CU_MEMHOSTALLOC_PORTABLE);
  if (status == CUDA_ERROR_OUT_OF_MEMORY)
    throw DriverError("CUDA: expected " + std::to_string(bytes) + " bytes of page-locked host memory, found less",
                      status);
  handle_.driver().check(status, "cuMemHostAlloc");
}

}  // namespace maskrt::cuda
