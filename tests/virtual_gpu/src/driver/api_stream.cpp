// CUDA driver API, 6.18 "Stream Management" without capture; host functions of 6.24.
#include <algorithm>
#include <cstring>

#include "driver/engine/works.h"
#include "driver/objects/streams.h"

using namespace vgpu::driver;

namespace {

CUresult create(CUstream* stream, unsigned flags, int priority) {
  require_value(stream != nullptr, "expected room for the stream, found a null pointer");
  require_value(flags == CU_STREAM_DEFAULT || flags == CU_STREAM_NON_BLOCKING, "expected flags of streams");
  const std::shared_ptr<ContextObject> context = current_context();
  Driver& driver = Driver::get();
  driver.inject(FailureKind::create, CUDA_ERROR_OUT_OF_MEMORY);
  auto object = std::make_shared<StreamObject>();
  object->context = context;
  object->flags = flags;
  object->priority = std::clamp(priority, kGreatestPriority, kLeastPriority);
  object->stream = context->engine().create_stream(flags == CU_STREAM_NON_BLOCKING, object->priority);
  *stream = driver.streams.add(std::move(object));
  return CUDA_SUCCESS;
}

/// Hints, which change nothing here, and the priority.
bool is_attribute(CUstreamAttrID attribute) {
  return attribute == CU_LAUNCH_ATTRIBUTE_ACCESS_POLICY_WINDOW ||
         attribute == CU_LAUNCH_ATTRIBUTE_SYNCHRONIZATION_POLICY || attribute == CU_LAUNCH_ATTRIBUTE_PRIORITY ||
         attribute == CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN || attribute == CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN_MAP;
}

}  // namespace

VGPU_API(cuStreamCreate, (CUstream * stream, unsigned int flags), (stream, flags)) { return create(stream, flags, 0); }

VGPU_API(cuStreamCreateWithPriority, (CUstream * stream, unsigned int flags, int priority), (stream, flags, priority)) {
  return create(stream, flags, priority);
}

VGPU_API(cuStreamDestroy_v2, (CUstream stream), (stream)) {
  Driver::get().streams.remove(stream);
  return CUDA_SUCCESS;
}

VGPU_API_ALIAS(cuStreamDestroy, cuStreamDestroy_v2, (CUstream stream), (stream))

VGPU_STREAM_API(cuStreamSynchronize, _ptsz, (CUstream stream), (stream)) {
  Driver& driver = Driver::get();
  const StreamRef found = stream_of(driver, stream);
  driver.reach();
  found->synchronize();
  return CUDA_SUCCESS;
}

VGPU_STREAM_API(cuStreamQuery, _ptsz, (CUstream stream), (stream)) {
  return stream_of(Driver::get(), stream)->query() ? CUDA_SUCCESS : CUDA_ERROR_NOT_READY;
}

VGPU_STREAM_API(cuStreamWaitEvent, _ptsz, (CUstream stream, CUevent event, unsigned int flags),
                (stream, event, flags)) {
  require_value((flags & ~static_cast<unsigned>(CU_EVENT_WAIT_EXTERNAL)) == 0, "expected flags of cuStreamWaitEvent");
  Driver& driver = Driver::get();
  const StreamRef found = stream_of(driver, stream);
  found->wait(*driver.events.get(event)->event, (flags & CU_EVENT_WAIT_EXTERNAL) != 0);
  return CUDA_SUCCESS;
}

VGPU_STREAM_API(cuStreamGetPriority, _ptsz, (CUstream stream, int* priority), (stream, priority)) {
  require_value(priority != nullptr, "expected room for the priority, found a null pointer");
  const StreamRef found = stream_of_unchecked(Driver::get(), stream);
  *priority = found.object != nullptr ? found.object->priority : 0;
  return CUDA_SUCCESS;
}

VGPU_STREAM_API(cuStreamGetFlags, _ptsz, (CUstream stream, unsigned int* flags), (stream, flags)) {
  require_value(flags != nullptr, "expected room for the flags, found a null pointer");
  const StreamRef found = stream_of_unchecked(Driver::get(), stream);
  *flags = found.object != nullptr ? found.object->flags : 0u;
  return CUDA_SUCCESS;
}

VGPU_STREAM_API(cuStreamGetId, _ptsz, (CUstream stream, unsigned long long* id), (stream, id)) {
  require_value(id != nullptr, "expected room for the number, found a null pointer");
  *id = stream_of_unchecked(Driver::get(), stream)->id();
  return CUDA_SUCCESS;
}

VGPU_STREAM_API(cuStreamGetDevice, _ptsz, (CUstream stream, CUdevice* device), (stream, device)) {
  require_value(device != nullptr, "expected room for the device, found a null pointer");
  *device = stream_of_unchecked(Driver::get(), stream).context->device;
  return CUDA_SUCCESS;
}

VGPU_STREAM_API(cuStreamGetCtx, _ptsz, (CUstream stream, CUcontext* context), (stream, context)) {
  require_value(context != nullptr, "expected room for the context, found a null pointer");
  *context = stream_of_unchecked(Driver::get(), stream).context->handle;
  return CUDA_SUCCESS;
}

VGPU_STREAM_API(cuStreamGetCtx_v2, _ptsz, (CUstream stream, CUcontext* context, CUgreenCtx* green),
                (stream, context, green)) {
  if (green != nullptr) *green = nullptr;
  return cuStreamGetCtx_body(stream, context);
}

VGPU_STREAM_API(cuStreamAttachMemAsync, _ptsz, (CUstream stream, CUdeviceptr address, size_t, unsigned int flags),
                (stream, address, 0, flags)) {
  require_value(address != 0 && flags >= CU_MEM_ATTACH_GLOBAL && flags <= CU_MEM_ATTACH_SINGLE,
                "expected managed memory and one of CU_MEM_ATTACH_GLOBAL, _HOST and _SINGLE");
  stream_of(Driver::get(), stream);
  return CUDA_SUCCESS;
}

VGPU_STREAM_API(cuStreamCopyAttributes, _ptsz, (CUstream to, CUstream from), (to, from)) {
  stream_of(Driver::get(), to);
  stream_of(Driver::get(), from);
  return CUDA_SUCCESS;
}

VGPU_STREAM_API(cuStreamGetAttribute, _ptsz, (CUstream stream, CUstreamAttrID attribute, CUstreamAttrValue* value),
                (stream, attribute, value)) {
  require_value(value != nullptr, "expected room for the value, found a null pointer");
  require_value(is_attribute(attribute), "expected an attribute of streams");
  const StreamRef found = stream_of(Driver::get(), stream);
  std::memset(value, 0, sizeof *value);
  if (attribute == CU_LAUNCH_ATTRIBUTE_SYNCHRONIZATION_POLICY) value->syncPolicy = CU_SYNC_POLICY_AUTO;
  if (attribute == CU_LAUNCH_ATTRIBUTE_PRIORITY && found.object != nullptr) value->priority = found.object->priority;
  return CUDA_SUCCESS;
}

VGPU_STREAM_API(cuStreamSetAttribute, _ptsz,
                (CUstream stream, CUstreamAttrID attribute, const CUstreamAttrValue* value),
                (stream, attribute, value)) {
  require_value(value != nullptr, "expected a value, found a null pointer");
  require_value(is_attribute(attribute), "expected an attribute of streams");
  const StreamRef found = stream_of(Driver::get(), stream);
  if (attribute == CU_LAUNCH_ATTRIBUTE_PRIORITY && found.object != nullptr) found.object->priority = value->priority;
  return CUDA_SUCCESS;
}

VGPU_STREAM_API(cuLaunchHostFunc, _ptsz, (CUstream stream, CUhostFn function, void* data), (stream, function, data)) {
  require_value(function != nullptr, "expected a function, found a null pointer");
  vgpu::engine::Work work = vgpu::engine::host_work([function, data] { function(data); });
  work.payload = CUDA_HOST_NODE_PARAMS{function, data};
  stream_of(Driver::get(), stream)->submit(std::move(work));
  return CUDA_SUCCESS;
}

VGPU_STREAM_API(cuStreamAddCallback, _ptsz,
                (CUstream stream, CUstreamCallback callback, void* data, unsigned int flags),
                (stream, callback, data, flags)) {
  require_value(callback != nullptr && flags == 0, "expected a function, and flags of 0");
  const StreamRef found = stream_of(Driver::get(), stream);
  require(found->capture_status() == vgpu::engine::CaptureStatus::none, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED,
          "expected a stream that is not captured");
  found->submit(vgpu::engine::host_work([stream, callback, data] { callback(stream, CUDA_SUCCESS, data); }));
  return CUDA_SUCCESS;
}
