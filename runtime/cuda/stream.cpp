#include "stream.h"

namespace maskrt::cuda {

Stream::Stream(std::shared_ptr<const Context> context) : handle_(std::move(context)) {
  const CurrentContext current(handle_.context());
  handle_.driver().cuStreamCreate(handle_.put(), CU_STREAM_NON_BLOCKING);
}

void Stream::synchronize() const {
  const CurrentContext current(handle_.context());
  handle_.driver().cuStreamSynchronize(get());
}

void Stream::wait(const Event& event) const {
  const CurrentContext current(handle_.context());
  handle_.driver().cuStreamWaitEvent(get(), event.get(), CU_EVENT_WAIT_DEFAULT);
}

}  // namespace maskrt::cuda
