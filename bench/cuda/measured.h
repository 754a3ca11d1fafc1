// GPU time of recorded launches, by the GPU's own clock.
#pragma once

#include <vector>

#include "recorder.h"
#include "runtime/cuda/event.h"
#include "runtime/cuda/graph.h"
#include "runtime/cuda/memory.h"
#include "runtime/cuda/session_stream.h"

namespace maskrt::bench {

using Operations = std::vector<Operation>;

/// Sends work on one stream and measures it between events. Belongs to one thread.
class Stopwatch {
 public:
  explicit Stopwatch(cuda::SessionStream& stream);

  /// Seconds of one of `repeats` runs in a row: what the run before it touched is in L2, as far as it fits. A run's
  /// start may overlap with the end of the one before, as in a network.
  template <typename Work>
  double warm(const Work& work, int repeats) const {
    start_.record(queue());
    for (int i = 0; i < repeats; ++i) work();
    end_.record(queue());
    end_.synchronize();
    return end_.seconds_since(start_) / repeats;
  }

  /// Seconds of one run after L2 has been overwritten; a microsecond or two of it are the events' own.
  template <typename Work>
  double cold(const Work& work) {
    flush();
    start_.record(queue());
    work();
    end_.record(queue());
    end_.synchronize();
    return end_.seconds_since(start_);
  }

 private:
  CUstream queue() const { return stream_.stream().get(); }
  /// Writes more than L2 holds.
  void flush();

  cuda::SessionStream& stream_;
  cuda::Event start_, end_;
  cuda::DeviceMemory beyond_l2_;
};

}  // namespace maskrt::bench
