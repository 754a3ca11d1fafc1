// CUDA driver API, 6.10 "Module Management", 6.12 "Library Management".
#include <fstream>
#include <sstream>

#include "driver/engine/stream.h"
#include "driver/objects/image.h"
#include "driver/objects/module.h"

using namespace vgpu::driver;

namespace {

/// A file as an image in memory: text ends with the zero byte that readers of PTX look for.
std::string read_file(const char* name) {
  require_value(name != nullptr, "expected a file's name, found a null pointer");
  std::ifstream file(name, std::ios::binary);
  require(file.good(), CUDA_ERROR_FILE_NOT_FOUND, "expected a file that can be read");
  std::ostringstream bytes;
  bytes << file.rdbuf();
  std::string image = bytes.str();
  image.resize(image.size() + 64, '\0');
  return image;
}

CUresult load(CUmodule* module, const void* image, JitOptions& options) {
  require_value(module != nullptr, "expected room for the module, found a null pointer");
  const std::shared_ptr<ContextObject> context = current_context();
  Driver& driver = Driver::get();
  *module = load_module(driver, context, choose_ptx(driver, image, options), options);
  return CUDA_SUCCESS;
}

CUresult load_library(CUlibrary* library, const void* image, JitOptions& options) {
  require_value(library != nullptr, "expected room for the library, found a null pointer");
  Driver& driver = Driver::get();
  auto object = std::make_shared<LibraryObject>();
  object->ptx = choose_ptx(driver, image, options);
  object->max_registers = options.max_registers();
  *library = driver.libraries.add(std::move(object));
  return CUDA_SUCCESS;
}

void variable_of(CUmodule handle, const char* name, CUdeviceptr* address, size_t* bytes) {
  require_value(name != nullptr && (address != nullptr || bytes != nullptr),
                "expected a name and room for the answer, found null pointers");
  const vgpu::Symbol* symbol = Driver::get().modules.get(handle)->module->variable(name);
  require(symbol != nullptr, CUDA_ERROR_NOT_FOUND, "expected the name of a variable of the module");
  if (address != nullptr) *address = symbol->address;
  if (bytes != nullptr) *bytes = symbol->bytes;
}

unsigned count_entries(const vgpu::Module& module) {
  unsigned n = 0;
  for (const auto& [name, program] : module.programs()) n += program->is_entry ? 1 : 0;
  return n;
}

}  // namespace

VGPU_API(cuModuleLoadDataEx,
         (CUmodule * module, const void* image, unsigned int count, CUjit_option* options, void** values),
         (module, image, count, options, values)) {
  JitOptions jit(count, options, values);
  return load(module, image, jit);
}

VGPU_API(cuModuleLoadData, (CUmodule * module, const void* image), (module, image)) {
  JitOptions none(0, nullptr, nullptr);
  return load(module, image, none);
}

VGPU_API(cuModuleLoadFatBinary, (CUmodule * module, const void* image), (module, image)) {
  JitOptions none(0, nullptr, nullptr);
  return load(module, image, none);
}

VGPU_API(cuModuleLoad, (CUmodule * module, const char* name), (module, name)) {
  current_context();
  JitOptions none(0, nullptr, nullptr);
  return load(module, read_file(name).data(), none);
}

VGPU_API(cuModuleUnload, (CUmodule module), (module)) {
  Driver& driver = Driver::get();
  const std::shared_ptr<ModuleObject> object = driver.modules.get(module);
  vgpu::engine::guard_unsafe_call();
  require(object->library == nullptr, CUDA_ERROR_NOT_PERMITTED,
          "expected a module of cuModuleLoad, found a library's, which cuLibraryUnload ends");
  driver.modules.remove(module);
  driver.functions.remove_if([&](const FunctionObject& function) { return function.module == object; });
  return CUDA_SUCCESS;
}

VGPU_API(cuModuleGetLoadingMode, (CUmoduleLoadingMode * mode), (mode)) {
  require_value(mode != nullptr, "expected room for the mode, found a null pointer");
  *mode = CU_MODULE_EAGER_LOADING;
  return CUDA_SUCCESS;
}

VGPU_API(cuModuleGetFunction, (CUfunction * function, CUmodule module, const char* name), (function, module, name)) {
  require_value(function != nullptr && name != nullptr, "expected a name and room for the function");
  *function = function_of(Driver::get(), module, name);
  return CUDA_SUCCESS;
}

VGPU_API(cuModuleGetFunctionCount, (unsigned int* count, CUmodule module), (count, module)) {
  require_value(count != nullptr, "expected room for the count, found a null pointer");
  *count = count_entries(*Driver::get().modules.get(module)->module);
  return CUDA_SUCCESS;
}

VGPU_API(cuModuleEnumerateFunctions, (CUfunction * functions, unsigned int count, CUmodule module),
         (functions, count, module)) {
  require_value(functions != nullptr, "expected room for the functions, found a null pointer");
  Driver& driver = Driver::get();
  unsigned i = 0;
  for (const auto& [name, program] : driver.modules.get(module)->module->programs()) {
    if (program->is_entry && i < count) functions[i++] = function_of(driver, module, name);
  }
  return CUDA_SUCCESS;
}

VGPU_API(cuModuleGetGlobal_v2, (CUdeviceptr * address, size_t* bytes, CUmodule module, const char* name),
         (address, bytes, module, name)) {
  variable_of(module, name, address, bytes);
  return CUDA_SUCCESS;
}

VGPU_API(cuLibraryLoadData,
         (CUlibrary * library, const void* image, CUjit_option* options, void** values, unsigned int count,
          CUlibraryOption* library_options, void** library_values, unsigned int library_count),
         (library, image, options, values, count, library_options, library_values, library_count)) {
  require_value(library_count == 0 || (library_options != nullptr && library_values != nullptr),
                "expected arrays of library options, found a null pointer");
  JitOptions jit(count, options, values);
  return load_library(library, image, jit);
}

VGPU_API(cuLibraryLoadFromFile,
         (CUlibrary * library, const char* name, CUjit_option* options, void** values, unsigned int count,
          CUlibraryOption* library_options, void** library_values, unsigned int library_count),
         (library, name, options, values, count, library_options, library_values, library_count)) {
  require_value(library_count == 0 || (library_options != nullptr && library_values != nullptr),
                "expected arrays of library options, found a null pointer");
  JitOptions jit(count, options, values);
  return load_library(library, read_file(name).data(), jit);
}

VGPU_API(cuLibraryUnload, (CUlibrary library), (library)) {
  Driver& driver = Driver::get();
  const std::shared_ptr<LibraryObject> object = driver.libraries.remove(library);
  driver.kernels.remove_if([&](const KernelObject& kernel) { return kernel.library_handle == library; });
  driver.functions.remove_if([&](const FunctionObject& function) { return function.module->library == object; });
  driver.modules.remove_if([&](const ModuleObject& module) { return module.library == object; });
  return CUDA_SUCCESS;
}

VGPU_API(cuLibraryGetKernel, (CUkernel * kernel, CUlibrary library, const char* name), (kernel, library, name)) {
  require_value(kernel != nullptr && name != nullptr, "expected a name and room for the kernel");
  *kernel = kernel_of(Driver::get(), library, name);
  return CUDA_SUCCESS;
}

VGPU_API(cuLibraryGetKernelCount, (unsigned int* count, CUlibrary library), (count, library)) {
  require_value(count != nullptr, "expected room for the count, found a null pointer");
  Driver& driver = Driver::get();
  *count = count_entries(*driver.modules.get(module_of(driver, driver.libraries.get(library)))->module);
  return CUDA_SUCCESS;
}

VGPU_API(cuLibraryEnumerateKernels, (CUkernel * kernels, unsigned int count, CUlibrary library),
         (kernels, count, library)) {
  require_value(kernels != nullptr, "expected room for the kernels, found a null pointer");
  Driver& driver = Driver::get();
  const CUmodule module = module_of(driver, driver.libraries.get(library));
  unsigned i = 0;
  for (const auto& [name, program] : driver.modules.get(module)->module->programs()) {
    if (program->is_entry && i < count) kernels[i++] = kernel_of(driver, library, name);
  }
  return CUDA_SUCCESS;
}

VGPU_API(cuLibraryGetModule, (CUmodule * module, CUlibrary library), (module, library)) {
  require_value(module != nullptr, "expected room for the module, found a null pointer");
  Driver& driver = Driver::get();
  *module = module_of(driver, driver.libraries.get(library));
  return CUDA_SUCCESS;
}

VGPU_API(cuLibraryGetGlobal, (CUdeviceptr * address, size_t* bytes, CUlibrary library, const char* name),
         (address, bytes, library, name)) {
  Driver& driver = Driver::get();
  variable_of(module_of(driver, driver.libraries.get(library)), name, address, bytes);
  return CUDA_SUCCESS;
}

VGPU_API(cuKernelGetFunction, (CUfunction * function, CUkernel kernel), (function, kernel)) {
  require_value(function != nullptr, "expected room for the function, found a null pointer");
  Driver& driver = Driver::get();
  const std::shared_ptr<KernelObject> object = driver.kernels.get(kernel);
  const CUmodule module = module_of(driver, driver.libraries.get(object->library_handle));
  *function = function_of(driver, module, object->name, object->settings);
  return CUDA_SUCCESS;
}

VGPU_API(cuKernelGetLibrary, (CUlibrary * library, CUkernel kernel), (library, kernel)) {
  require_value(library != nullptr, "expected room for the library, found a null pointer");
  *library = Driver::get().kernels.get(kernel)->library_handle;
  return CUDA_SUCCESS;
}
