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

/// Whether the driver has refused an image for what it is, rather than for want of memory or a fault before.
bool is_refusal(CUresult status) {
  return status == CUDA_ERROR_NO_BINARY_FOR_GPU || status == CUDA_ERROR_INVALID_IMAGE ||
         status == CUDA_ERROR_INVALID_SOURCE || status == CUDA_ERROR_UNSUPPORTED_PTX_VERSION;
}

}  // namespace

KernelLibrary::KernelLibrary(std::shared_ptr<const Context> context, std::span<const kernels::DeviceCode> code)
    : context_(std::move(context)), code_(code) {}

CUfunction KernelLibrary::get(const kernels::KernelName& name, std::uint32_t dynamic_shared) {
  const std::lock_guard lock(mutex_);
  const std::string full = std::string(name.file) + ": " + name.entry;
  auto found = kernels_.find(full);
  if (found == kernels_.end()) {
    const CurrentContext current(*context_);
    const AnyCaptureMode relaxed(context_->driver());  // where modules are loaded lazily, this loads
    LoadedKernel kernel;
    const CUresult status =
        context_->driver().cuModuleGetFunction.status(&kernel.function, module_of(name.file).get(), name.entry);
    if (status == CUDA_ERROR_NOT_FOUND)
      throw DriverError("kernel " + full + ": expected it in the file's device code for " + device_of(*context_) +
                            ", found none of that name",
                        status);
    context_->driver().check(status, ("kernel " + full + ": cuModuleGetFunction").c_str());
    prefer_shared_memory(kernel);
    found = kernels_.emplace(full, kernel).first;
  }
  if (dynamic_shared > found->second.dynamic_shared) grant(found->second, full, dynamic_shared);
  return found->second.function;
}

const KernelLibrary::Module& KernelLibrary::module_of(const std::string& file) {
  if (const auto loaded = modules_.find(file); loaded != modules_.end()) return loaded->second;
  const auto code = std::find_if(code_.begin(), code_.end(),
                                 [&](const kernels::DeviceCode& candidate) { return candidate.file == file; });
  if (code == code_.end()) throw Error("device code " + file + ": expected it in this binary, found none");
  return modules_.emplace(file, load(file, kernels::ImageArchive(file, code->archive))).first->second;
}

KernelLibrary::Module KernelLibrary::load(const std::string& file, const kernels::ImageArchive& images) {
  Module module(context_);
  CUresult status = CUDA_ERROR_NO_BINARY_FOR_GPU;
  for (const auto kind : {kernels::ImageKind::machine_code, kernels::ImageKind::ptx}) {
    if (kind == kernels::ImageKind::machine_code && !machine_code_) continue;
    const int best = images.best(kind, context_->chip().compute_capability);
    if (best < 0) continue;
    const std::vector<std::byte> image = images.expand(static_cast<std::size_t>(best));
    status = context_->driver().cuModuleLoadData.status(module.put(), image.data());
    if (status == CUDA_SUCCESS) return module;
    // A driver older than the format of the machine code, or one that takes PTX alone: what it says of one file, it
    // would of all.
    if (kind != kernels::ImageKind::machine_code || !is_refusal(status)) break;
    machine_code_ = false;
  }
  throw DriverError("device code " + file + ": expected some that runs on " + device_of(*context_) +
                        ", the CUDA driver answered " + context_->driver().describe(status),
                    status);
}

/// Hopper's multiprocessors split one memory between L1 cache and shared memory. Where the split changes from kernel to
/// kernel, a multiprocessor runs dry before the next one starts, and the launches that overlap gain nothing: all
/// kernels ask for the same split, the one that the largest of them need. A hint, so what the driver says of it is
/// unheard.
void KernelLibrary::prefer_shared_memory(const LoadedKernel& kernel) const {
  if (context_->chip().path() != kernels::KernelPath::sm90a) return;
  context_->driver().cuFuncSetAttribute.status(kernel.function, CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT,
                                               CU_SHAREDMEM_CARVEOUT_MAX_SHARED);
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
