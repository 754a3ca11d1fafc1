// CUDA driver API, 6.8 "Context Management".
#include <algorithm>

#include "driver/objects/context.h"
#include "driver/objects/streams.h"

using namespace vgpu::driver;

namespace {

std::shared_ptr<ContextObject> context_of(CUcontext handle) {
  return Driver::get().contexts.get(handle, CUDA_ERROR_INVALID_CONTEXT);
}

CUresult create(CUcontext* context, unsigned flags, CUdevice device) {
  require_value(context != nullptr, "expected room for the context, found a null pointer");
  check_device(device);
  const std::shared_ptr<ContextObject> made = create_context(Driver::get(), flags, false, device);
  context_stack().push_back(made);
  *context = made->handle;
  return CUDA_SUCCESS;
}

}  // namespace

VGPU_API(cuCtxCreate_v2, (CUcontext * context, unsigned int flags, CUdevice device), (context, flags, device)) {
  return create(context, flags, device);
}

VGPU_API_ALIAS(cuCtxCreate, cuCtxCreate_v2, (CUcontext * context, unsigned int flags, CUdevice device),
               (context, flags, device))

VGPU_API(cuCtxCreate_v3,
         (CUcontext * context, CUexecAffinityParam* affinities, int count, unsigned int flags, CUdevice device),
         (context, affinities, count, flags, device)) {
  require(affinities == nullptr && count == 0, CUDA_ERROR_UNSUPPORTED_EXEC_AFFINITY, "expected no execution affinity");
  return create(context, flags, device);
}

VGPU_API(cuCtxCreate_v4, (CUcontext * context, CUctxCreateParams* params, unsigned int flags, CUdevice device),
         (context, params, flags, device)) {
  require(params == nullptr || (params->numExecAffinityParams == 0 && params->cigParams == nullptr),
          CUDA_ERROR_UNSUPPORTED_EXEC_AFFINITY, "expected no execution affinity and no graphics interoperation");
  return create(context, flags, device);
}

VGPU_API(cuCtxDestroy_v2, (CUcontext handle), (handle)) {
  const std::shared_ptr<ContextObject> context = context_of(handle);
  require(!context->primary, CUDA_ERROR_INVALID_CONTEXT,
          "expected a context of cuCtxCreate, found the primary one, which is released");
  auto& stack = context_stack();
  if (!stack.empty() && stack.back() == context) stack.pop_back();
  destroy_context(Driver::get(), context);
  return CUDA_SUCCESS;
}

VGPU_API_ALIAS(cuCtxDestroy, cuCtxDestroy_v2, (CUcontext handle), (handle))

VGPU_API(cuCtxPushCurrent_v2, (CUcontext handle), (handle)) {
  context_stack().push_back(context_of(handle));
  return CUDA_SUCCESS;
}

VGPU_API_ALIAS(cuCtxPushCurrent, cuCtxPushCurrent_v2, (CUcontext handle), (handle))

VGPU_API(cuCtxPopCurrent_v2, (CUcontext * handle), (handle)) {
  auto& stack = context_stack();
  require(!stack.empty(), CUDA_ERROR_INVALID_CONTEXT, "expected a current context, found none");
  if (handle != nullptr) *handle = stack.back()->handle;
  stack.pop_back();
  return CUDA_SUCCESS;
}

VGPU_API_ALIAS(cuCtxPopCurrent, cuCtxPopCurrent_v2, (CUcontext * handle), (handle))

VGPU_API(cuCtxSetCurrent, (CUcontext handle), (handle)) {
  auto& stack = context_stack();
  const std::shared_ptr<ContextObject> context = handle == nullptr ? nullptr : context_of(handle);
  if (!stack.empty()) stack.pop_back();
  if (context != nullptr) stack.push_back(context);
  return CUDA_SUCCESS;
}

VGPU_API(cuCtxGetCurrent, (CUcontext * handle), (handle)) {
  require_value(handle != nullptr, "expected room for the context, found a null pointer");
  const auto& stack = context_stack();
  *handle = stack.empty() ? nullptr : stack.back()->handle;
  return CUDA_SUCCESS;
}

VGPU_API(cuCtxGetDevice, (CUdevice * device), (device)) {
  require_value(device != nullptr, "expected room for the device, found a null pointer");
  *device = current_context_unchecked()->device;
  return CUDA_SUCCESS;
}

VGPU_API(cuCtxGetDevice_v2, (CUdevice * device, CUcontext handle), (device, handle)) {
  require_value(device != nullptr, "expected room for the device, found a null pointer");
  *device = (handle != nullptr ? context_of(handle) : current_context_unchecked())->device;
  return CUDA_SUCCESS;
}

VGPU_API(cuCtxGetFlags, (unsigned int* flags), (flags)) {
  require_value(flags != nullptr, "expected room for the flags, found a null pointer");
  *flags = current_context_unchecked()->flags;
  return CUDA_SUCCESS;
}

VGPU_API(cuCtxSetFlags, (unsigned int flags), (flags)) {
  require_value((flags & ~static_cast<unsigned>(CU_CTX_FLAGS_MASK)) == 0, "expected flags of contexts");
  current_context_unchecked()->flags = flags;
  return CUDA_SUCCESS;
}

VGPU_API(cuCtxGetId, (CUcontext handle, unsigned long long* id), (handle, id)) {
  require_value(id != nullptr, "expected room for the number, found a null pointer");
  *id = (handle == nullptr ? current_context_unchecked() : context_of(handle))->id;
  return CUDA_SUCCESS;
}

VGPU_API(cuCtxGetApiVersion, (CUcontext handle, unsigned int* version), (handle, version)) {
  require_value(version != nullptr, "expected room for the version, found a null pointer");
  if (handle != nullptr) context_of(handle);
  *version = 3020;
  return CUDA_SUCCESS;
}

VGPU_API(cuCtxSynchronize, (), ()) {
  const std::shared_ptr<ContextObject> context = current_context();
  Driver::get().reach();
  context->engine().synchronize();
  return CUDA_SUCCESS;
}

VGPU_API(cuCtxSynchronize_v2, (CUcontext handle), (handle)) {
  const std::shared_ptr<ContextObject> context = handle == nullptr ? current_context() : context_of(handle);
  context->check();
  context->engine().synchronize();
  return CUDA_SUCCESS;
}

VGPU_API(cuCtxSetLimit, (CUlimit limit, size_t value), (limit, value)) {
  current_context()->set_limit(limit, value);
  return CUDA_SUCCESS;
}

VGPU_API(cuCtxGetLimit, (size_t * value, CUlimit limit), (value, limit)) {
  require_value(value != nullptr, "expected room for the value, found a null pointer");
  *value = current_context()->limit(limit);
  return CUDA_SUCCESS;
}

VGPU_API(cuCtxGetCacheConfig, (CUfunc_cache * config), (config)) {
  require_value(config != nullptr, "expected room for the answer, found a null pointer");
  *config = current_context()->cache_config;
  return CUDA_SUCCESS;
}

VGPU_API(cuCtxSetCacheConfig, (CUfunc_cache config), (config)) {
  require_value(config >= CU_FUNC_CACHE_PREFER_NONE && config <= CU_FUNC_CACHE_PREFER_EQUAL, "expected a CUfunc_cache");
  current_context()->cache_config = config;
  return CUDA_SUCCESS;
}

VGPU_API(cuCtxGetStreamPriorityRange, (int* least, int* greatest), (least, greatest)) {
  current_context();
  if (least != nullptr) *least = kLeastPriority;
  if (greatest != nullptr) *greatest = kGreatestPriority;
  return CUDA_SUCCESS;
}

VGPU_API(cuCtxResetPersistingL2Cache, (), ()) {
  current_context();
  return CUDA_SUCCESS;
}
