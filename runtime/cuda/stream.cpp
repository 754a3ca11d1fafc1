#include "stream.h"

namespace maskrt::cuda {

Stream::Stream(std::shared_ptr<const Context> context) : handle_(std::move(context)) {
  const CurrentContext current(handle_.context());
  handle_.driver().cuStreamCreate(handle_.put(), CU_STREAM_NON_BLOCKING);
  stream_ = handle_.get();
}

Stream::Stream(std::shared_ptr<const Context> context, CUstream callers) : handle_(context), stream_(callers) {
  // The driver takes events of one context on its streams alone.
  const Event probe(std::move(context));
  const CurrentContext current(handle_.context());
  const CUresult status = handle_.driver().cuEventRecord.status(probe.get(), callers);
  if (status != CUDA_SUCCESS)
    throw DriverError("CUDA device " + std::to_string(handle_.context().ordinal()) +
                          ": expected a stream of its primary context, found one at which the CUDA driver answers " +
                          handle_.driver().describe(status),
                      status);
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
