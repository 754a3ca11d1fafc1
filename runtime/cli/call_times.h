// What the calls of a run's sessions took, by their own clocks.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <utility>

#include "maskrt/maskrt.hpp"
#include "options.h"

namespace maskrt::cli {

/// Times of an image and the network's input, over many calls. Thread-safe.
class CallTimes {
 public:
  /// A call on `images` images took `timings` and had an input of `input`, its height and width.
  void add(const Timings& timings, std::size_t images, std::pair<int, int> input);

  /// Mean seconds of an image; NaN where there was no call.
  Timings of_an_image() const;
  /// The input that most images had, of equals the smallest; 0x0 where there was no call.
  Size usual_input() const;

 private:
  mutable std::mutex mutex_;
  Timings sum_;
  std::size_t images_ = 0;
  std::map<std::pair<int, int>, std::size_t> inputs_;  ///< images by input
};

}  // namespace maskrt::cli
