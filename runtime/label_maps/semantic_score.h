// Scores of semantic segmentation, to the same numbers as detectron2's SemSegEvaluator.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "classes.h"
#include "maps.h"

namespace maskrt::label_maps {

/// Pixels of one class. Only pixels whose truth is scored count.
struct ClassPixels {
  std::uint64_t truth = 0;   ///< that are of this class
  std::uint64_t result = 0;  ///< that the results take for it
  std::uint64_t both = 0;
};

struct ClassScore {
  std::string name;
  ClassPixels pixels;
  double iou = -1, accuracy = -1;  ///< 0 to 1; -1 where no pixel's truth is of this class
};

/// From 0 to 1; -1 where no pixel counts.
struct SemanticScore {
  double mean_iou = -1;       ///< over classes that truths have
  double weighted_iou = -1;   ///< weighted by the pixels of each class
  double mean_accuracy = -1;  ///< of a class: the share of its pixels that were found
  double pixel_accuracy = -1;
  std::vector<ClassScore> classes;  ///< all, in the order of the table
  std::uint64_t pixels = 0;         ///< that count
  std::size_t images = 0;
};

/// Counts pixels, image after image.
class SemanticScorer {
 public:
  explicit SemanticScorer(std::size_t classes) : pixels_(classes) {}

  /// A pixel whose truth is ignored does not count. One that the result takes for ignored, and whose truth is not, is
  /// missed. Throws Error for maps of different sizes, and for numbers that stand for nothing.
  void add(const LabelMap& truth, const LabelNumbers& truth_numbers, const LabelMap& result,
           const LabelNumbers& result_numbers);
  /// What another has counted, too.
  void add(const SemanticScorer& other);

  SemanticScore score(const LabelClasses& table) const;

 private:
  std::vector<ClassPixels> pixels_;
  std::size_t images_ = 0;
};

/// The files of one image.
struct MapPair {
  std::filesystem::path truth, result;
};

struct SemanticOptions {
  Numbering truths = Numbering::ids, results = Numbering::indices;
  int threads = 0;  ///< 0: all that the process may use
};

/// Reads and scores all pairs. Throws Error that names the file, of the first pair that has something wrong.
SemanticScore score_maps(std::span<const MapPair> pairs, const LabelClasses& table, const SemanticOptions& options);

}  // namespace maskrt::label_maps
