#include "event.h"

namespace maskrt::cuda {

Event::Event(std::shared_ptr<const Context> context, Timing timing) : handle_(std::move(context)) {
  const CurrentContext current(handle_.context());
  handle_.driver().cuEventCreate(handle_.put(), timing == Timing::yes ? CU_EVENT_DEFAULT : CU_EVENT_DISABLE_TIMING);
}

void Event::record(CUstream stream) const {
  const CurrentContext current(handle_.context());
  handle_.driver().cuEventRecord(get(), stream);
}

void Event::synchronize() const {
  const CurrentContext current(handle_.context());
  handle_.driver().cuEventSynchronize(get());
}

double Event::seconds_since(const Event& start) const {
  const CurrentContext current(handle_.context());
  float milliseconds = 0;
  handle_.driver().cuEventElapsedTime(&milliseconds, start.get(), get());
  return milliseconds * 1e-3;
}

}  // namespace maskrt::cuda
