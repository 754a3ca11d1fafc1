#include "kernel_library.h"

#include <algorithm>

namespace maskrt::cuda {
namespace {

/// What every kernel may be launched with, unless its static shared memory takes from it.
constexpr std::uint32_t kSharedWithoutAsking = 48 * 1024;

std::string device_of(const Context& context) {
  const int capability = context.chip().compute_capability;
  return context.name() + ", compute capability " + std::to_string(capability / 10) + "." +
         std::to_string(capability % 10);
}

}  // namespace

KernelLibrary::KernelLibrary(std::shared_ptr<const Context> context, std::span<const kernels::FatBinary> binaries)
    : context_(std::move(context)), binaries_(binaries) {}

CUfunction KernelLibrary::get(const kernels::KernelName& name, std::uint32_t dynamic_shared) {
  const std::lock_guard lock(mutex_);
  const std::string full = std::string(name.file) + ": " + name.entry;
  auto found = kernels_.find(full);
  if (found == kernels_.end()) {
    const CurrentContext current(*context_);
    LoadedKernel kernel;
    const CUresult status =
        context_->driver().cuModuleGetFunction.status(&kernel.function, module_of(name.file).get(), name.entry);
    if (status == CUDA_ERROR_NOT_FOUND)
      throw DriverError("kernel " + full + ": expected it in the file's device code for " + device_of(*context_) +
                            ", found none of that name",
                        status);
    context_->driver().check(status, ("kernel " + full + ": cuModuleGetFunction").c_str());
    found = kernels_.emplace(full, kernel).first;
  }
  if (dynamic_shared > found->second.dynamic_shared) grant(found->second, full, dynamic_shared);
  return found->second.function;
}

const KernelLibrary::Module& KernelLibrary::module_of(const std::string& file) {
  if (const auto loaded = modules_.find(file); loaded != modules_.end()) return loaded->second;
  const auto binary = std::find_if(binaries_.begin(), binaries_.end(),
                                   [&](const kernels::FatBinary& candidate) { return candidate.file == file; });
  if (binary == binaries_.end()) throw Error("device code " + file + ": expected it in this binary, found none");

  Module module(context_);
  const CUresult status = context_->driver().cuModuleLoadData.status(module.put(), binary->image.data());
  if (status != CUDA_SUCCESS)
    throw DriverError("device code " + file + ": expected some that runs on " + device_of(*context_) +
                          ", the CUDA driver answered " + context_->driver().describe(status),
                      status);
  return modules_.emplace(file, std::move(module)).first->second;
}

void KernelLibrary::grant(LoadedKernel& kernel, const std::string& name, std::uint32_t dynamic_shared) const {
  const CurrentContext current(*context_);
  const Driver& driver = context_->driver();
  int fixed = 0;
  driver.cuFuncGetAttribute(&fixed, CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES, kernel.function);
  const std::uint32_t whole = dynamic_shared + static_cast<std::uint32_t>(fixed);
  if (whole > context_->chip().shared_per_block)
    throw Error("kernel " + name + ": expected at most " + std::to_string(context_->chip().shared_per_block) +
                " bytes of shared memory a block on " + device_of(*context_) + ", found " + std::to_string(whole));
  if (whole > kSharedWithoutAsking)
    driver.cuFuncSetAttribute(kernel.function, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
                              static_cast<int>(dynamic_shared));
  kernel.dynamic_shared = dynamic_shared;
}

}  // namespace maskrt::cuda
