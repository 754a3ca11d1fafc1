#include "resident_clusters.h"

namespace maskrt::cuda {
namespace {

// The driver counts for a given kernel, so one is needed before there is any: it has nothing but its shared memory.
constexpr char kKernel[] =
    ".version 8.0\n"
    ".target sm_90\n"
    ".address_size 64\n"
    ".visible .entry nothing() { ret; }\n";

}  // namespace

decltype(kernels::Chip::resident_clusters) resident_clusters(const Driver& driver, const kernels::Chip& chip) {
  decltype(kernels::Chip::resident_clusters) counts{};
  if (chip.path() != kernels::KernelPath::sm90a) return counts;
  const AnyCaptureMode relaxed(driver);
  CUmodule module = nullptr;
  driver.cuModuleLoadData(&module, kKernel);
  CUfunction function = nullptr;
  const auto shared = static_cast<unsigned>(chip.shared_per_block);
  if (driver.cuModuleGetFunction.status(&function, module, "nothing") == CUDA_SUCCESS &&
      driver.cuFuncSetAttribute.status(function, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
                                       static_cast<int>(shared)) == CUDA_SUCCESS) {
    for (unsigned blocks = 2; blocks < counts.size(); ++blocks) {
      CUlaunchAttribute cluster{};
      cluster.id = CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION;
      cluster.value.clusterDim = {blocks, 1, 1};
      const CUlaunchConfig config{blocks, 1, 1, 128, 1, 1, shared, nullptr, &cluster, 1};
      int count = 0;
      if (driver.cuOccupancyMaxActiveClusters.status(&count, function, &config) == CUDA_SUCCESS) counts[blocks] = count;
    }
  }
  driver.cuModuleUnload.status(module);
  return counts;
}

}  // namespace maskrt::cuda
