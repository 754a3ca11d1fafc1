#include "measured.h"

namespace maskrt::bench {

Stopwatch::Stopwatch(cuda::SessionStream& stream)
    : stream_(stream),
      start_(stream.context(), cuda::Event::Timing::yes),
      end_(stream.context(), cuda::Event::Timing::yes),
      beyond_l2_(stream.context(), 2 * std::size_t{stream.context()->chip().l2_bytes}) {}

void Stopwatch::flush() { stream_.queue().set_bytes(beyond_l2_.data(), 0, beyond_l2_.bytes()); }

}  // namespace maskrt::bench
