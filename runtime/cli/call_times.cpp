#include "call_times.h"

#include <algorithm>
#include <limits>

namespace maskrt::cli {

void CallTimes::add(const Timings& timings, std::size_t images, std::pair<int, int> input) {
  const std::lock_guard lock(mutex_);
  sum_.preprocess += timings.preprocess;
  sum_.network += timings.network;
  sum_.postprocess += timings.postprocess;
  images_ += images;
  inputs_[input] += images;
}

Timings CallTimes::of_an_image() const {
  const std::lock_guard lock(mutex_);
  const double share = images_ == 0 ? std::numeric_limits<double>::quiet_NaN() : 1 / static_cast<double>(images_);
  return {share * sum_.preprocess, share * sum_.network, share * sum_.postprocess};
}

Size CallTimes::usual_input() const {
  const std::lock_guard lock(mutex_);
  const auto most = std::max_element(inputs_.begin(), inputs_.end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == inputs_.end() ? Size{} : Size{most->first.first, most->first.second};
}

}  // namespace maskrt::cli
