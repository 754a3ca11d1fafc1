// Work in order.
#pragma once

#include "event.h"
#include "handle.h"

namespace maskrt::cuda {

/// A stream that does not wait for the legacy default stream. What takes a CUstream takes a caller's own, too.
class Stream {
 public:
  explicit Stream(std::shared_ptr<const Context> context);

  CUstream get() const { return handle_.get(); }
  const Context& context() const { return handle_.context(); }
  /// Waits for all work. Throws Error where some of it failed.
  void synchronize() const;
  /// What follows waits for the event's recorded point.
  void wait(const Event& event) const;

 private:
  Handle<CUstream, &Driver::cuStreamDestroy> handle_;
};

}  // namespace maskrt::cuda
