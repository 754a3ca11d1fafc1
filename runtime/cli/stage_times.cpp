#include "stage_times.h"

#include <cstdio>
#include <ctime>
#include <numeric>
#include <utility>

namespace maskrt::cli {
namespace {

constexpr std::array<const char*, kStageCount> kNames = {"decoding",        "planning", "preparation", "network",
                                                         "post-processing", "drawing",  "writing"};

double clock_seconds(clockid_t clock) {
  timespec time = {};
  ::clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

std::string milliseconds(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", 1e3 * seconds);
  return text;
}

}  // namespace

void StageTimes::add(Stage stage, double seconds) {
  const std::lock_guard lock(mutex_);
  seconds_[static_cast<std::size_t>(stage)] += seconds;
}

std::array<double, kStageCount> StageTimes::seconds() const {
  const std::lock_guard lock(mutex_);
  return seconds_;
}

double StageClock::now() const {
  return clock_seconds(what_ == TimeOf::wall ? CLOCK_MONOTONIC : CLOCK_THREAD_CPUTIME_ID);
}

double process_seconds() { return clock_seconds(CLOCK_PROCESS_CPUTIME_ID); }

std::string times_text(std::size_t images, double wall, const std::array<double, kStageCount>& seconds, int threads,
                       const std::string& gpu) {
  const auto count = static_cast<double>(images);
  char rate[64];
  std::snprintf(rate, sizeof rate, " ms an image (%.2f images a second); ", count / wall);
  std::string text = milliseconds(wall / count) + rate;
  text += threads == 1 ? "on 1 thread" : "on " + std::to_string(threads) + " threads";
  if (!gpu.empty()) text += " and " + gpu;
  text += " an image took " + milliseconds(std::accumulate(seconds.begin(), seconds.end(), 0.0) / count) +
          (gpu.empty() ? " ms of processor time" : " ms of their time");
  const char* separator = ": ";
  for (std::size_t i = 0; i < kStageCount; ++i) {
    if (milliseconds(seconds[i] / count) == "0.0") continue;
    text += std::exchange(separator, ", ") + std::string(kNames[i]) + " " + milliseconds(seconds[i] / count);
  }
  return text;
}

}  // namespace maskrt::cli
