// CUDA driver API, 6.19 "Event Management".
#include "driver/objects/streams.h"

using namespace vgpu::driver;

VGPU_API(cuEventCreate, (CUevent * event, unsigned int flags), (event, flags)) {
  require_value(event != nullptr, "expected room for the event, found a null pointer");
  require_value((flags & ~(CU_EVENT_BLOCKING_SYNC | CU_EVENT_DISABLE_TIMING | CU_EVENT_INTERPROCESS)) == 0,
                "expected flags of cuEventCreate");
  require((flags & CU_EVENT_INTERPROCESS) == 0, CUDA_ERROR_NOT_SUPPORTED,
          "expected an event of one process, found CU_EVENT_INTERPROCESS");
  const std::shared_ptr<ContextObject> context = current_context();
  Driver& driver = Driver::get();
  driver.inject(FailureKind::create, CUDA_ERROR_OUT_OF_MEMORY);
  auto object = std::make_shared<EventObject>();
  object->context = context;
  object->flags = flags;
  object->event = context->engine().create_event((flags & CU_EVENT_DISABLE_TIMING) == 0);
  *event = driver.events.add(std::move(object));
  return CUDA_SUCCESS;
}

VGPU_API(cuEventDestroy_v2, (CUevent event), (event)) {
  Driver::get().events.remove(event);
  return CUDA_SUCCESS;
}

VGPU_API_ALIAS(cuEventDestroy, cuEventDestroy_v2, (CUevent event), (event))

VGPU_STREAM_API(cuEventRecordWithFlags, _ptsz, (CUevent event, CUstream stream, unsigned int flags),
                (event, stream, flags)) {
  require_value((flags & ~static_cast<unsigned>(CU_EVENT_RECORD_EXTERNAL)) == 0, "expected flags of cuEventRecord");
  Driver& driver = Driver::get();
  const std::shared_ptr<EventObject> object = driver.events.get(event);
  const StreamRef found = stream_of(driver, stream);
  require(object->context == found.context, CUDA_ERROR_INVALID_HANDLE, "expected an event and a stream of one context");
  found->record(*object->event, (flags & CU_EVENT_RECORD_EXTERNAL) != 0);
  return CUDA_SUCCESS;
}

VGPU_STREAM_API(cuEventRecord, _ptsz, (CUevent event, CUstream stream), (event, stream)) {
  return cuEventRecordWithFlags_body(event, stream, 0);
}

VGPU_API(cuEventQuery, (CUevent event), (event)) {
  const std::shared_ptr<EventObject> object = Driver::get().events.get(event);
  object->context->check();
  vgpu::engine::guard_unsafe_call();
  return object->event->query() ? CUDA_SUCCESS : CUDA_ERROR_NOT_READY;
}

VGPU_API(cuEventSynchronize, (CUevent event), (event)) {
  Driver& driver = Driver::get();
  const std::shared_ptr<EventObject> object = driver.events.get(event);
  object->context->check();
  driver.reach();
  object->event->synchronize();
  return CUDA_SUCCESS;
}

VGPU_API(cuEventElapsedTime_v2, (float* milliseconds, CUevent start, CUevent end), (milliseconds, start, end)) {
  require_value(milliseconds != nullptr, "expected room for the time, found a null pointer");
  Driver& driver = Driver::get();
  const std::shared_ptr<EventObject> from = driver.events.get(start), to = driver.events.get(end);
  from->context->check();
  *milliseconds = vgpu::engine::Event::elapsed_ms(*from->event, *to->event);
  return CUDA_SUCCESS;
}

VGPU_API_ALIAS(cuEventElapsedTime, cuEventElapsedTime_v2, (float* milliseconds, CUevent start, CUevent end),
               (milliseconds, start, end))
