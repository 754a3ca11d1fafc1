// Modules, functions, libraries and kernels.
#pragma once

#include <cuda.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "driver/objects/context.h"
#include "driver/objects/driver.h"
#include "machine/module.h"

namespace vgpu::driver {

struct LibraryObject;

struct ModuleObject {
  std::shared_ptr<ContextObject> context;
  std::shared_ptr<const Module> module;
  std::shared_ptr<LibraryObject> library;  ///< library that it was loaded for; null for standalone modules
  std::uint32_t max_registers = 0;         ///< CU_JIT_MAX_REGISTERS; 0 where it was not given
  std::mutex mutex;
  std::map<std::string, CUfunction> functions;  ///< handles given out
};

/// What programs may set of a function.
struct FunctionSettings {
  std::atomic<std::int32_t> max_dynamic_shared{-1};  ///< bytes; below 0: the default
  std::atomic<int> carveout{-1};
  std::atomic<int> non_portable_cluster{0};
  std::atomic<int> cluster_policy{0};
  std::atomic<int> cluster_width{0}, cluster_height{0}, cluster_depth{0};
};

struct FunctionObject {
  std::shared_ptr<ContextObject> context;
  std::shared_ptr<ModuleObject> module;
  CUmodule module_handle = nullptr;
  const Program* program = nullptr;
  std::uint32_t registers = 0;
  bool registers_known = false;  ///< .maxnreg says so; else they are a guess, which no launch is refused for
  std::shared_ptr<FunctionSettings> settings;
};

/// Context-independent code: cuLibrary... Its module is loaded for each context where it is first used.
struct LibraryObject {
  std::string ptx;
  std::uint32_t max_registers = 0;
  std::mutex mutex;
  std::map<const ContextObject*, CUmodule> modules;
  std::map<std::string, CUkernel> kernels;
};

struct KernelObject {
  std::weak_ptr<LibraryObject> library;
  CUlibrary library_handle = nullptr;
  std::string name;
  std::shared_ptr<FunctionSettings> settings = std::make_shared<FunctionSettings>();
};

/// The options of cuModuleLoadDataEx and cuLibraryLoadData; log buffers are written where they were given.
class JitOptions {
 public:
  /// Throws Status with CUDA_ERROR_INVALID_VALUE for null arrays and options that are none.
  JitOptions(unsigned count, const CUjit_option* options, void** values);
  std::uint32_t max_registers() const { return max_registers_; }
  void write_error(const std::string& text);
  void write_info(const std::string& text);

 private:
  struct Log {
    char* buffer = nullptr;
    std::size_t size = 0;
    void** written = nullptr;  ///< the slot of the size option
    void write(const std::string& text);
  };
  Log info_, error_;
  std::uint32_t max_registers_ = 0;
};

/// Chooses the PTX of an image, checks and loads it. Throws Status as ptx_of_image and check_ptx_header; CUDA_ERROR_
/// INVALID_PTX where it can't be decoded, with the line in the log and on stderr.
std::string choose_ptx(Driver& driver, const void* image, JitOptions& options);
CUmodule load_module(Driver& driver, const std::shared_ptr<ContextObject>& context, const std::string& ptx,
                     JitOptions& options, std::shared_ptr<LibraryObject> library = nullptr);

/// A function's handle, the same at every call. Throws Status with CUDA_ERROR_NOT_FOUND.
CUfunction function_of(Driver& driver, CUmodule handle, const std::string& name,
                       std::shared_ptr<FunctionSettings> settings = nullptr);
/// The module of a library in the current context.
CUmodule module_of(Driver& driver, const std::shared_ptr<LibraryObject>& library);
/// A library's kernel, the same handle at every call. Throws Status with CUDA_ERROR_NOT_FOUND.
CUkernel kernel_of(Driver& driver, CUlibrary handle, const std::string& name);
/// What a CUfunction argument means: a function, or a kernel that was cast to one. Throws Status with
/// CUDA_ERROR_INVALID_HANDLE.
std::shared_ptr<FunctionObject> function_or_kernel(Driver& driver, CUfunction handle);

/// Attributes as cuFuncGetAttribute and cuFuncSetAttribute know them. Throw Status with CUDA_ERROR_INVALID_VALUE.
int function_attribute(const Driver& driver, const FunctionObject& function, CUfunction_attribute attribute);
void set_function_attribute(const Driver& driver, FunctionSettings& settings, std::uint32_t static_shared,
                            CUfunction_attribute attribute, int value);
/// Dynamic shared memory that a launch may ask for.
std::uint32_t max_dynamic_shared(const FunctionObject& function);
/// Threads of a block that registers (where they are known) and .maxntid allow.
std::uint32_t max_threads(const FunctionObject& function);

}  // namespace vgpu::driver
