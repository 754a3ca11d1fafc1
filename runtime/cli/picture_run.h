// Runs a model over many pictures, batch by batch, and hands what it finds to a result sink.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "../coco/image_lines.h"
#include "maskrt/maskrt.hpp"
#include "result_sink.h"

namespace maskrt::cli {

struct PictureRunSettings {
  std::size_t batch = 1;
  bool fail_fast = false;  ///< the first picture that cannot be used ends the run
  DecodeOptions decode;
  RunOptions options;
};

/// A picture that cannot be used is reported and left out. Pictures whose results the sink has from an earlier run are
/// not run again, but for those whose batch has others to be run: each batch is the one that it would have been in a
/// run of all pictures, so that a resumed run has the same results.
class PictureRun {
 public:
  PictureRun(Session& session, std::span<const Picture> pictures, ResultSink& sink, PictureRunSettings settings);
  PictureRun(const PictureRun&) = delete;
  PictureRun& operator=(const PictureRun&) = delete;
  virtual ~PictureRun() = default;

  /// What stops it early (a signal, a full disk, a closed pipe, with fail_fast a picture) passes through, after the
  /// sink has kept what was done.
  void run();

  std::size_t failures() const { return failures_; }  ///< reported errors
  std::size_t ran() const { return ran_; }            ///< images that this run found the results of
  double seconds() const { return seconds_; }         ///< from pixels to instances
  double network_seconds() const { return network_seconds_; }

 protected:
  /// Throws Error for a picture that must not be used.
  virtual void check(std::size_t /*picture*/, const Image& /*image*/) {}
  /// Writes what else is made of a picture than its results. An Error, but of a full disk, is that picture's.
  virtual void draw(std::size_t /*picture*/, const Image& /*image*/, const std::vector<Instance>& /*instances*/) {}
  /// Results are in the sink; `seconds` is the picture's share of its batch, nothing for those of an earlier run.
  virtual void added(std::size_t /*picture*/, const coco::ImageLine& /*line*/, std::optional<double> /*seconds*/) {}
  /// `pictures` of all are through.
  virtual void progress(std::size_t /*pictures*/) {}

 private:
  struct Member {
    std::size_t picture;
    std::optional<Image> image;  ///< nothing where it is done, and not needed so far
  };

  template <typename Work>
  bool attempt(const Picture& picture, const Work& work);
  Image load(std::size_t picture);
  void run_batch(std::vector<Member> batch);
  void run_images(const std::vector<Member>& batch);
  void add(std::size_t picture, coco::ImageLine line, std::optional<double> seconds);

  Session& session_;
  std::span<const Picture> pictures_;
  ResultSink& sink_;
  PictureRunSettings settings_;
  std::size_t failures_ = 0, ran_ = 0;
  double seconds_ = 0, network_seconds_ = 0;
};

/// A line of the sink's: an image and what was found in it. Throws Error for scores that are no numbers.
coco::ImageLine line_of(const Picture& picture, const Image& image, const std::vector<Instance>& instances);

/// What makes results of one run differ from another's on the same pictures: the model file and the options that
/// matter. Throws Error for a model file that is none.
std::string describe_run(const std::string& model, std::optional<float> score, const DecodeOptions& decode);

}  // namespace maskrt::cli
