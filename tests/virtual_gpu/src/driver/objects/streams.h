// Streams and events as programs hold them, and what a stream argument of a call means.
#pragma once

#include <cuda.h>

#include <memory>

#include "driver/engine/event.h"
#include "driver/engine/stream.h"
#include "driver/objects/context.h"
#include "driver/objects/driver.h"

namespace vgpu::driver {

struct StreamObject {
  std::shared_ptr<ContextObject> context;
  std::shared_ptr<engine::Stream> stream;
  unsigned flags = 0;
  int priority = 0;
};

struct EventObject {
  std::shared_ptr<ContextObject> context;
  std::shared_ptr<engine::Event> event;
  unsigned flags = 0;
};

/// A stream that a call was given, kept alive while the call lasts.
struct StreamRef {
  std::shared_ptr<ContextObject> context;
  std::shared_ptr<engine::Stream> owned;  ///< null for the legacy default stream
  engine::Stream* stream = nullptr;
  std::shared_ptr<StreamObject> object;  ///< null for default streams

  engine::Stream* operator->() const { return stream; }
  engine::Stream& operator*() const { return *stream; }
  bool capturing() const { return stream->capture_status() == engine::CaptureStatus::active; }
};

/// The stream of a handle: null is the default stream, the thread's own one inside of _ptsz and _ptds entry points.
/// Throws Status: CUDA_ERROR_INVALID_HANDLE, CUDA_ERROR_INVALID_CONTEXT where a default stream is requested and no
/// context is current, and the context's sticky error.
StreamRef stream_of(Driver& driver, CUstream handle);
/// The same without the sticky error: for what only asks about a stream.
StreamRef stream_of_unchecked(Driver& driver, CUstream handle);
/// The default stream of the calling thread and entry point.
inline StreamRef default_stream(Driver& driver) { return stream_of(driver, nullptr); }

constexpr int kLeastPriority = 0;
constexpr int kGreatestPriority = -5;

}  // namespace vgpu::driver
