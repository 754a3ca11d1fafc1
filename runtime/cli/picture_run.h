// Runs a model over many pictures, batch by batch, on all processors at a time, and hands what it finds to a result
// sink.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <exception>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "call_times.h"
#include "encoded_file.h"
#include "maskrt/maskrt.hpp"
#include "options.h"
#include "result_sink.h"
#include "runtime/coco/image_lines.h"
#include "session_pool.h"
#include "stage_times.h"

namespace maskrt::cli {

struct PictureRunSettings {
  std::size_t batch = 1;
  bool fail_fast = false;  ///< the first picture that cannot be used ends the run
  DecodeOptions decode;
  RunOptions options;  ///< instances where no task is named
  /// One batch after the other, with all threads in one session: while it computes nothing else does, so that
  /// call_times() are of pictures that have the device to themselves.
  bool alone = false;
  bool activations = false;  ///< draw() gets instance activation maps; the model was loaded with them
  /// Memory of a decoded picture, for each of its pixels: with its masks (1 bit each) and its drawing.
  std::size_t bytes_a_pixel = 16;
};

/// Throws Error unless a model does the task.
void check_finds(const ModelInfo& model, Task task);

/// Decodes, runs and draws several pictures at a time (ordered_pipeline.h), and writes what was found in the order of
/// the pictures, so that whatever is on the disk when a run is stopped is what a run of fewer pictures writes.
///
/// Batches are of pictures that follow one another. A picture that cannot be used is reported and left out. Pictures
/// whose results the sink has from an earlier run are not run again, but for those whose batch has others to be run:
/// each batch is the one that it would have been in a run of all pictures, so that a resumed run has the same results.
class PictureRun {
 public:
  /// All outlive it.
  PictureRun(const Model& model, const DeviceOptions& device, std::span<const Picture> pictures, ResultSink& sink,
             PictureRunSettings settings);
  PictureRun(const PictureRun&) = delete;
  PictureRun& operator=(const PictureRun&) = delete;
  virtual ~PictureRun() = default;

  /// What stops it early (a signal, a full disk, a closed pipe, with fail_fast a picture) passes through, after the
  /// sink has kept what was done.
  void run();

  std::size_t failures() const { return failures_; }  ///< reported errors
  std::size_t ran() const { return ran_; }            ///< images that this run found the results of
  double seconds() const { return seconds_; }         ///< from the first picture to the last, on the wall
  /// "21.3 ms an image ..." (stage_times.h), of the images that this run found the results of, 1 or more.
  std::string times() const;
  /// What the sessions' calls took by their own clocks, making plans apart.
  const CallTimes& call_times() const { return call_times_; }

 protected:
  // Called on several threads at a time.
  /// Throws Error for a picture that must not be used.
  virtual void check(std::size_t /*picture*/, const Image& /*image*/) const {}
  /// Gives what else is to be written of a picture than its results. An Error is that picture's.
  virtual std::vector<EncodedFile> draw(std::size_t /*picture*/, const Image& /*image*/, const Result& /*result*/,
                                        const ActivationMaps& /*activations*/) const {
    return {};
  }

  // Called on the thread that runs it, in the order of pictures.
  /// Writes a picture's file and notes it in the line of results. Throws Error and WriteError.
  virtual void write_file(const EncodedFile& file, coco::ImageLine& line) { write(file, line); }
  /// Results are in the sink. `earlier`: of an earlier run.
  virtual void added(std::size_t /*picture*/, const coco::ImageLine& /*line*/, bool /*earlier*/) {}
  /// `pictures` of all are through, among them `run` of the `to_run` that no earlier run has the results of.
  virtual void progress(std::size_t /*pictures*/, std::size_t /*run*/, std::size_t /*to_run*/) {}

 private:
  /// A picture in the pipeline.
  struct Member {
    std::optional<Image> image;
    Result result;
    ActivationMaps activations;
    std::optional<coco::ImageLine> line;
    std::vector<EncodedFile> files;
    std::exception_ptr unusable;  ///< why there is no line
    std::exception_ptr undrawn;   ///< why there are no files
  };

  std::size_t first_of(std::size_t batch) const { return batch * settings_.batch; }
  std::size_t size_of(std::size_t batch) const;
  bool is_done(std::size_t batch) const;
  std::span<Member> members(std::size_t batch);
  /// Batches: enough for all processors to have something to do, and fewer where pictures are as large as the largest
  /// so far.
  std::size_t most_open() const;

  void load(std::size_t batch, std::size_t member);
  void detect(std::size_t batch);
  void detect(std::span<Member* const> members);
  void finish(std::size_t batch, std::size_t member);
  void deliver(std::size_t batch);
  template <typename Work>
  bool attempt(const Picture& picture, const Work& work);

  const Model& model_;
  const ModelInfo info_;
  const bool on_gpu_;
  const int processors_;
  std::span<const Picture> pictures_;
  ResultSink& sink_;
  const PictureRunSettings settings_;
  const std::size_t batches_;
  SessionPool sessions_;
  const std::size_t usual_open_;              ///< pictures that are decoded and not through
  const std::size_t most_held_;               ///< batches
  std::vector<Member> members_;               ///< members of the batches in flight: batch b is at b % most_held_
  std::atomic<std::size_t> most_pixels_ = 1;  ///< pixels of the largest picture so far
  StageTimes times_;                          ///< stage times of processors and of a GPU
  StageTimes team_times_;  ///< on the wall, of what sessions of several threads do: what is left of the process's time
  CallTimes call_times_;
  double processor_seconds_ = 0;  ///< processor time of the process during the run
  std::size_t failures_ = 0, ran_ = 0;
  std::size_t to_run_ = 0, tried_ = 0;  ///< pictures without results of an earlier run, all and those that are through
  double seconds_ = 0;
};

/// A line of the sink's: an image and its instances. Throws Error for scores that are no numbers.
coco::ImageLine line_of(const Picture& picture, const Image& image, const std::vector<Instance>& instances);

/// What makes results of one run differ from another's on the same pictures: the model file and the options that
/// matter, a resize where it is not the one of the model, whose file is `path`. Throws Error for a file that is none.
std::string describe_run(const std::string& path, const ModelInfo& model, std::optional<float> score,
                         const DecodeOptions& decode, const ResizeOptions& resize);

}  // namespace maskrt::cli
