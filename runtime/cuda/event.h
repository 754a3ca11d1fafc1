// Points in a stream's work: what other streams wait for and what time is measured between.
#pragma once

#include "handle.h"

namespace maskrt::cuda {

class Event {
 public:
  enum class Timing : bool { no, yes };  ///< events without it cost less
  explicit Event(std::shared_ptr<const Context> context, Timing timing = Timing::no);

  CUevent get() const { return handle_.get(); }
  void record(CUstream stream) const;
  /// Waits until the recorded point is reached. Throws Error where the work before it failed.
  void synchronize() const;
  /// Seconds on the device's clock; both timed, recorded and reached.
  double seconds_since(const Event& start) const;

 private:
  Handle<CUevent, &Driver::cuEventDestroy> handle_;
};

}  // namespace maskrt::cuda
