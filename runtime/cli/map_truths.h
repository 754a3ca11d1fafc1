// What a model's semantic and panoptic results are compared with: annotations, the pictures they are of, and the counts
// that come of comparing.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "eval_maps.h"
#include "graph/file_roles.h"
#include "maskrt/maskrt.hpp"
#include "result_sink.h"
#include "size_sweep.h"

namespace maskrt::cli {

/// What was found of pictures on several threads, until one thread takes it in the order of the pictures.
template <typename Found>
class Pending {
 public:
  void put(std::size_t picture, Found found) {
    const std::lock_guard lock(mutex_);
    found_.emplace(picture, std::move(found));
  }
  /// Nothing where nothing was put.
  std::optional<Found> take(std::size_t picture) {
    const std::lock_guard lock(mutex_);
    auto node = found_.extract(picture);
    return node ? std::optional(std::move(node.mapped())) : std::nullopt;
  }

 private:
  std::mutex mutex_;
  std::map<std::size_t, Found> found_;
};

/// The counts of one pass over the pictures. What it holds does not grow with their number.
class MapScoring {
 public:
  virtual ~MapScoring() = default;

  /// Reads a picture's annotations and compares its result with them; on any thread, each picture once. Throws Error
  /// that names the picture and the annotations.
  virtual void compare(std::size_t picture, const Image& image, const Result& result) = 0;
  /// Adds what compare() counted to the scores, where it found nothing wrong; from one thread, in the order of
  /// pictures.
  virtual void take(std::size_t picture) = 0;

  virtual std::size_t images() const = 0;  ///< that were added
  /// A sentence on results that were left out; "" where none was.
  virtual std::string remark() const { return ""; }
  virtual void print(bool per_class) const = 0;
  virtual nlohmann::ordered_json json() const = 0;
  /// As MapTruths::scoring() lists them.
  virtual std::vector<double> metrics() const = 0;
};

/// The annotations of a data set. Immutable once made; outlives the scorings that it begins.
class MapTruths {
 public:
  virtual ~MapTruths() = default;

  const std::vector<Picture>& pictures() const { return pictures_; }
  /// What files made from the pictures are called, of each.
  const std::vector<std::string>& stems() const { return stems_; }

  /// All files of annotations, and the pictures.
  virtual void add_inputs(graph::FileRoles& roles) const = 0;
  /// Compares the model's categories with the annotations'; not their names where `ignore_labels`. Gives a remark in
  /// one sentence, "" for none. Throws Error where they differ by more than that.
  virtual std::string check(const ModelInfo& model, bool ignore_labels) const = 0;
  virtual SweepScoring scoring() const = 0;
  virtual std::unique_ptr<MapScoring> begin() const = 0;

 protected:
  std::vector<Picture> pictures_;
  std::vector<std::string> stems_;
};

/// Finds annotations and pictures of a task, `limit` of them at most (0: all). Throws Error: for files that are not as
/// they should be, no annotations, and annotations without a picture, their number and the first.
std::unique_ptr<MapTruths> semantic_truths(const MapOptions& options, const MapFiles& files, std::size_t limit);
std::unique_ptr<MapTruths> panoptic_truths(const MapOptions& options, const MapFiles& files, std::size_t limit);

}  // namespace maskrt::cli
