// Work in order.
#pragma once

#include "event.h"
#include "handle.h"

namespace maskrt::cuda {

class Stream {
 public:
  /// A new one, which does not wait for the legacy default stream.
  explicit Stream(std::shared_ptr<const Context> context);
  /// The caller's, who keeps it. Throws Error where it belongs to another context.
  Stream(std::shared_ptr<const Context> context, CUstream callers);

  CUstream get() const { return stream_; }
  const Context& context() const { return handle_.context(); }
  /// Waits for all work. Throws Error where some of it failed.
  void synchronize() const;
  /// What follows waits for the event's recorded point.
  void wait(const Event& event) const;

 private:
  Handle<CUstream, &Driver::cuStreamDestroy> handle_;  // none where the stream is the caller's
  CUstream stream_;
};

}  // namespace maskrt::cuda
