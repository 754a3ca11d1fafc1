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

  /// `repeats` runs of `work` in a row, recorded: short launches would otherwise wait for the host. `work` has been
  /// sent once before, so that all of its code is loaded.
  template <typename Work>
  cuda::GraphExec record(const Work& work, int repeats) const {
    return cuda::GraphExec(stream_.context(), cuda::Graph::capture(stream_.context(), queue(), [&] {
                             for (int i = 0; i < repeats; ++i) work();
                           }));
  }

  /// Seconds of one of the runs in `graph`: what the run before it touched is in L2, as far as it fits, and its start
  /// may overlap with the end of that one, as in a network.
  double warm(const cuda::GraphExec& graph, int repeats) const {
    return time([&] { graph.launch(queue()); }) / repeats;
  }

  /// Seconds of one run right after preceding work of the stream; a microsecond or two of it are the events' overhead.
  template <typename Work>
  double time(const Work& work) const {
    start_.record(queue());
    work();
    end_.record(queue());
    end_.synchronize();
    return end_.seconds_since(start_);
  }

  /// The same after L2 has been overwritten.
  template <typename Work>
  double cold(const Work& work) {
    flush();
    return time(work);
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
