#include "driver/objects/module.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "driver/engine/stream.h"
#include "driver/objects/chip.h"
#include "driver/objects/image.h"
#include "driver/objects/registers.h"

namespace vgpu::driver {
namespace {

std::uint32_t registers_of(const ModuleObject& module, const Program& program) {
  std::uint32_t registers = 16;
  for (const auto& function : module.module->source().functions) {
    if (function.name == program.name) registers = estimated_registers(function);
  }
  std::uint32_t most = kMaxRegistersPerThread;
  const auto number = [&](const char* directive) -> std::uint32_t {
    const auto it = program.directives.find(directive);
    if (it == program.directives.end() || it->second.empty()) return 0;
    std::uint32_t product = 1;
    for (const std::uint32_t n : it->second) product *= n;
    return product;
  };
  // ptxas spills rather than exceed what the directives allow.
  const std::uint32_t threads = std::max(number("maxntid"), number("reqntid"));
  if (threads != 0) {
    const std::uint32_t warps = (threads + kWarpSize - 1) / kWarpSize * std::max(1u, number("minnctapersm"));
    most = std::min(most, 65536 / std::max(1u, warps) / kWarpSize / 8 * 8);
  }
  if (module.max_registers != 0) most = std::min(most, module.max_registers);
  if (number("maxnreg") != 0) return std::min(number("maxnreg"), kMaxRegistersPerThread);
  return std::min(registers, std::max(most, 16u));
}

}  // namespace

JitOptions::JitOptions(unsigned count, const CUjit_option* options, void** values) {
  require_value(count == 0 || (options != nullptr && values != nullptr),
                "expected arrays of options and values, found a null pointer");
  for (unsigned i = 0; i < count; ++i) {
    const auto number = static_cast<std::size_t>(reinterpret_cast<std::uintptr_t>(values[i]) & 0xffffffffu);
    switch (options[i]) {
      case CU_JIT_INFO_LOG_BUFFER:
        info_.buffer = static_cast<char*>(values[i]);
        break;
      case CU_JIT_INFO_LOG_BUFFER_SIZE_BYTES:
        info_.size = number;
        info_.written = &values[i];
        break;
      case CU_JIT_ERROR_LOG_BUFFER:
        error_.buffer = static_cast<char*>(values[i]);
        break;
      case CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES:
        error_.size = number;
        error_.written = &values[i];
        break;
      case CU_JIT_MAX_REGISTERS:
        max_registers_ = static_cast<std::uint32_t>(number);
        break;
      case CU_JIT_WALL_TIME: {
        const float milliseconds = 0;
        std::memcpy(&values[i], &milliseconds, sizeof milliseconds);
        break;
      }
      default:
        // The rest steers code generation or linking, which there is none of.
        require_value(options[i] >= 0 && options[i] < CU_JIT_NUM_OPTIONS, "expected a CUjit_option");
    }
  }
}

void JitOptions::Log::write(const std::string& text) {
  if (buffer == nullptr || size == 0) return;
  const std::size_t n = std::min(text.size(), size - 1);
  std::memcpy(buffer, text.data(), n);
  buffer[n] = '\0';
  if (written != nullptr) *written = reinterpret_cast<void*>(n == 0 ? 0 : n + 1);
}

void JitOptions::write_error(const std::string& text) { error_.write(text); }
void JitOptions::write_info(const std::string& text) { info_.write(text); }

std::string choose_ptx(Driver& driver, const void* image, JitOptions& options) {
  engine::guard_unsafe_call();
  try {
    std::string ptx = ptx_of_image(image, driver.settings().compute_capability, Driver::version());
    check_ptx_header(ptx, driver.settings().compute_capability, Driver::version());
    return ptx;
  } catch (const Status& status) {
    // Programs that have PTX, too, may try machine code first: VGPU_LOG=1 tells of that.
    if (status.code() != CUDA_ERROR_NO_BINARY_FOR_GPU) std::fprintf(stderr, "vgpu: module: %s\n", status.what());
    options.write_error(status.what());
    throw;
  }
}

CUmodule load_module(Driver& driver, const std::shared_ptr<ContextObject>& context, const std::string& ptx,
                     JitOptions& options, std::shared_ptr<LibraryObject> library) {
  driver.inject(FailureKind::module, CUDA_ERROR_OUT_OF_MEMORY);
  auto object = std::make_shared<ModuleObject>();
  object->context = context;
  object->library = std::move(library);
  object->max_registers = options.max_registers();
  try {
    object->module = driver.device->load(ptx);
  } catch (const Error& error) {
    std::fprintf(stderr, "vgpu: module: %s\n", error.what());
    options.write_error(error.what());
    throw Status(CUDA_ERROR_INVALID_PTX, error.what());
  }
  options.write_info("");
  options.write_error("");
  return driver.modules.add(std::move(object));
}

CUfunction function_of(Driver& driver, CUmodule handle, const std::string& name,
                       std::shared_ptr<FunctionSettings> settings) {
  const std::shared_ptr<ModuleObject> module = driver.modules.get(handle);
  const std::lock_guard lock(module->mutex);
  if (const auto known = module->functions.find(name); known != module->functions.end()) return known->second;
  const Program* program = module->module->entry(name);
  require(program != nullptr, CUDA_ERROR_NOT_FOUND, "expected the name of a kernel of the module");
  auto function = std::make_shared<FunctionObject>();
  function->context = module->context;
  function->module = module;
  function->module_handle = handle;
  function->program = program;
  function->registers = registers_of(*module, *program);
  function->registers_known = program->directives.contains("maxnreg");
  function->settings = settings != nullptr ? std::move(settings) : std::make_shared<FunctionSettings>();
  return module->functions[name] = driver.functions.add(std::move(function));
}

CUmodule module_of(Driver& driver, const std::shared_ptr<LibraryObject>& library) {
  const std::shared_ptr<ContextObject> context = current_context();
  const std::lock_guard lock(library->mutex);
  auto& handle = library->modules[context.get()];
  if (handle == nullptr || driver.modules.find(handle) == nullptr) {
    JitOptions options(0, nullptr, nullptr);
    handle = load_module(driver, context, library->ptx, options, library);
    driver.modules.get(handle)->max_registers = library->max_registers;
  }
  return handle;
}

CUkernel kernel_of(Driver& driver, CUlibrary handle, const std::string& name) {
  const std::shared_ptr<LibraryObject> library = driver.libraries.get(handle);
  const CUmodule module = module_of(driver, library);
  require(driver.modules.get(module)->module->entry(name) != nullptr, CUDA_ERROR_NOT_FOUND,
          "expected the name of a kernel of the library");
  const std::lock_guard lock(library->mutex);
  if (const auto known = library->kernels.find(name); known != library->kernels.end()) return known->second;
  auto kernel = std::make_shared<KernelObject>();
  kernel->library = library;
  kernel->library_handle = handle;
  kernel->name = name;
  return library->kernels[name] = driver.kernels.add(std::move(kernel));
}

std::shared_ptr<FunctionObject> function_or_kernel(Driver& driver, CUfunction handle) {
  if (std::shared_ptr<FunctionObject> function = driver.functions.find(handle)) return function;
  const std::shared_ptr<KernelObject> kernel = driver.kernels.get(reinterpret_cast<CUkernel>(handle));
  const std::shared_ptr<LibraryObject> library = kernel->library.lock();
  require(library != nullptr, CUDA_ERROR_INVALID_HANDLE, "expected a kernel whose library is loaded");
  return driver.functions.get(function_of(driver, module_of(driver, library), kernel->name, kernel->settings));
}

std::uint32_t max_dynamic_shared(const FunctionObject& function) {
  const std::int32_t set = function.settings->max_dynamic_shared;
  if (set >= 0) return static_cast<std::uint32_t>(set);
  return kSharedWithoutOptIn - std::min(kSharedWithoutOptIn, function.program->static_shared);
}

std::uint32_t max_threads(const FunctionObject& function) {
  // Registers are allocated to each warp in units, evenly over the four partitions of a multiprocessor.
  const std::uint32_t per_warp = (function.registers * kWarpSize + kRegisterUnit - 1) / kRegisterUnit * kRegisterUnit;
  std::uint32_t threads = 1024;
  if (function.registers_known) threads = std::min(threads, 65536 / std::max(per_warp, 1u) / 4 * 4 * kWarpSize);
  for (const char* directive : {"maxntid", "reqntid"}) {
    const auto it = function.program->directives.find(directive);
    if (it == function.program->directives.end()) continue;
    std::uint32_t product = 1;
    for (const std::uint32_t n : it->second) product *= n;
    threads = std::min(threads, product);
  }
  return threads;
}

}  // namespace vgpu::driver
