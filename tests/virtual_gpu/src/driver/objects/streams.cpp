#include "driver/objects/streams.h"

namespace vgpu::driver {

StreamRef stream_of_unchecked(Driver& driver, CUstream handle) {
  const bool per_thread = handle == CU_STREAM_PER_THREAD || (handle == nullptr && PerThreadDefaultStream::active());
  if (!per_thread && handle != nullptr && handle != CU_STREAM_LEGACY) {
    const std::shared_ptr<StreamObject> object = driver.streams.get(handle);
    return {object->context, object->stream, object->stream.get(), object};
  }
  StreamRef found{current_context_unchecked(), nullptr, nullptr, nullptr};
  if (per_thread) {
    found.owned = found.context->engine().per_thread();
    found.stream = found.owned.get();
  } else {
    found.stream = &found.context->engine().legacy();
  }
  return found;
}

StreamRef stream_of(Driver& driver, CUstream handle) {
  StreamRef found = stream_of_unchecked(driver, handle);
  found.context->check();
  return found;
}

}  // namespace vgpu::driver
