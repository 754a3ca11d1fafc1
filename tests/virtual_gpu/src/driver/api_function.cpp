// CUDA driver API, 6.24 "Execution Control": functions and their attributes, for functions and for library kernels.
#include "driver/objects/module.h"

using namespace vgpu::driver;

namespace {

std::shared_ptr<FunctionObject> function_of_kernel(CUkernel kernel) {
  return function_or_kernel(Driver::get(), reinterpret_cast<CUfunction>(kernel));
}

CUresult param_info(const FunctionObject& function, size_t index, size_t* offset, size_t* bytes) {
  require_value(offset != nullptr, "expected room for the offset, found a null pointer");
  const auto& parameters = function.program->parameters;
  require_value(index < parameters.size(), "expected the index of a parameter");
  *offset = parameters[index].offset;
  if (bytes != nullptr) *bytes = parameters[index].bytes;
  return CUDA_SUCCESS;
}

}  // namespace

VGPU_API(cuFuncGetAttribute, (int* value, CUfunction_attribute attribute, CUfunction function),
         (value, attribute, function)) {
  require_value(value != nullptr, "expected room for the value, found a null pointer");
  Driver& driver = Driver::get();
  *value = function_attribute(driver, *function_or_kernel(driver, function), attribute);
  return CUDA_SUCCESS;
}

VGPU_API(cuFuncSetAttribute, (CUfunction function, CUfunction_attribute attribute, int value),
         (function, attribute, value)) {
  Driver& driver = Driver::get();
  const std::shared_ptr<FunctionObject> object = function_or_kernel(driver, function);
  set_function_attribute(driver, *object->settings, object->program->static_shared, attribute, value);
  return CUDA_SUCCESS;
}

VGPU_API(cuFuncSetCacheConfig, (CUfunction function, CUfunc_cache config), (function, config)) {
  require_value(config >= CU_FUNC_CACHE_PREFER_NONE && config <= CU_FUNC_CACHE_PREFER_EQUAL, "expected a CUfunc_cache");
  function_or_kernel(Driver::get(), function);
  return CUDA_SUCCESS;
}

VGPU_API(cuFuncGetModule, (CUmodule * module, CUfunction function), (module, function)) {
  require_value(module != nullptr, "expected room for the module, found a null pointer");
  *module = function_or_kernel(Driver::get(), function)->module_handle;
  return CUDA_SUCCESS;
}

VGPU_API(cuFuncGetName, (const char** name, CUfunction function), (name, function)) {
  require_value(name != nullptr, "expected room for the name, found a null pointer");
  *name = function_or_kernel(Driver::get(), function)->program->name.c_str();
  return CUDA_SUCCESS;
}

VGPU_API(cuFuncGetParamInfo, (CUfunction function, size_t index, size_t* offset, size_t* bytes),
         (function, index, offset, bytes)) {
  return param_info(*function_or_kernel(Driver::get(), function), index, offset, bytes);
}

VGPU_API(cuFuncIsLoaded, (CUfunctionLoadingState * state, CUfunction function), (state, function)) {
  require_value(state != nullptr, "expected room for the state, found a null pointer");
  function_or_kernel(Driver::get(), function);
  *state = CU_FUNCTION_LOADING_STATE_LOADED;
  return CUDA_SUCCESS;
}

VGPU_API(cuFuncLoad, (CUfunction function), (function)) {
  function_or_kernel(Driver::get(), function);
  return CUDA_SUCCESS;
}

VGPU_API(cuKernelGetAttribute, (int* value, CUfunction_attribute attribute, CUkernel kernel, CUdevice device),
         (value, attribute, kernel, device)) {
  require_value(value != nullptr, "expected room for the value, found a null pointer");
  check_device(device);
  *value = function_attribute(Driver::get(), *function_of_kernel(kernel), attribute);
  return CUDA_SUCCESS;
}

VGPU_API(cuKernelSetAttribute, (CUfunction_attribute attribute, int value, CUkernel kernel, CUdevice device),
         (attribute, value, kernel, device)) {
  check_device(device);
  const std::shared_ptr<FunctionObject> object = function_of_kernel(kernel);
  set_function_attribute(Driver::get(), *object->settings, object->program->static_shared, attribute, value);
  return CUDA_SUCCESS;
}

VGPU_API(cuKernelSetCacheConfig, (CUkernel kernel, CUfunc_cache config, CUdevice device), (kernel, config, device)) {
  require_value(config >= CU_FUNC_CACHE_PREFER_NONE && config <= CU_FUNC_CACHE_PREFER_EQUAL, "expected a CUfunc_cache");
  check_device(device);
  Driver::get().kernels.get(kernel);
  return CUDA_SUCCESS;
}

VGPU_API(cuKernelGetName, (const char** name, CUkernel kernel), (name, kernel)) {
  require_value(name != nullptr, "expected room for the name, found a null pointer");
  *name = Driver::get().kernels.get(kernel)->name.c_str();
  return CUDA_SUCCESS;
}

VGPU_API(cuKernelGetParamInfo, (CUkernel kernel, size_t index, size_t* offset, size_t* bytes),
         (kernel, index, offset, bytes)) {
  return param_info(*function_of_kernel(kernel), index, offset, bytes);
}
