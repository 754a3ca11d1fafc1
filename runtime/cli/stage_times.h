// Where the processors' time of a run goes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>

namespace maskrt::cli {

/// The stages of a picture, in order.
enum class Stage : std::size_t {
  decoding,
  planning,  ///< making plans for new sizes
  preparation,
  network,
  postprocessing,  ///< from logits to instances and their run lengths
  drawing,         ///< and encoding drawings and masks
  writing,
};
constexpr std::size_t kStageCount = 7;

/// Sums of seconds by stage. Thread-safe.
class StageTimes {
 public:
  void add(Stage stage, double seconds);
  std::array<double, kStageCount> seconds() const;

 private:
  mutable std::mutex mutex_;
  std::array<double, kStageCount> seconds_ = {};
};

enum class TimeOf : std::uint8_t {
  thread,  ///< the calling thread on a processor
  wall,
};

/// Seconds since it was made.
class StageClock {
 public:
  explicit StageClock(TimeOf what = TimeOf::thread) : what_(what), start_(now()) {}
  double seconds() const { return now() - start_; }

 private:
  double now() const;
  TimeOf what_;
  double start_;
};

/// Processor time of all threads of the process so far.
double process_seconds();

/// "21.3 ms an image (46.95 images a second); on 2 threads an image took 41.2 ms of processor time: decoding 13.1, ..."
/// for `images` that took `wall` seconds together. Stages that took nothing are left out. `gpu`: the device that its
/// stages ran on, whose time it then is; empty for the CPU.
std::string times_text(std::size_t images, double wall, const std::array<double, kStageCount>& seconds, int threads,
                       const std::string& gpu = {});

}  // namespace maskrt::cli
