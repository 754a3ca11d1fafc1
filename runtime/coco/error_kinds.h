// What average precision is lost to: TIDE's kinds of errors (Bolya, Foley, Hays, Hoffman: TIDE: A General Toolbox for
// Identifying Object Detection Errors, ECCV 2020), to the same numbers as its toolbox tidecv 1.0.1.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "annotations.h"
#include "evaluate.h"
#include "results.h"

namespace maskrt::coco {

/// What is to blame for a detection that is wrong, or for a ground truth that none found; then the two that ask for all
/// wrong detections, and all ground truths that were not found, whatever is to blame.
enum class ErrorKind : std::uint8_t {
  classification,   ///< it would be right as another category
  localisation,     ///< of the right category, but it overlaps too little
  both,             ///< neither: it overlaps too little, and what it overlaps is of other categories
  duplicate,        ///< a better detection found that ground truth before
  background,       ///< there is nothing
  missed,           ///< a ground truth that no detection would find, even with the first two kinds repaired
  false_positives,  ///< all that is wrong, ranked behind all that is right
  false_negatives,  ///< all ground truths that are not found, taken away
};
inline constexpr std::array<const char*, 8> kErrorNames = {"Cls", "Loc",  "Both",     "Dupe",
                                                           "Bkg", "Miss", "FalsePos", "FalseNeg"};

/// IoU: at least `foreground` for a detection to be right, at most `background` for it to be of nothing.
struct ErrorThresholds {
  double foreground = 0.5, background = 0.1;
};

/// In points, from 0 to 100, as TIDE has them.
struct ErrorAnalysis {
  double ap = 0;  ///< AP at the foreground threshold, by TIDE's matching
  /// dAP of each kind, in the order of `kErrorNames`: by how much that AP would be higher if the errors of one kind
  /// were repaired and all others left. They do not add up to 100 - ap.
  std::array<double, kErrorNames.size()> deltas{};
};

/// Finds out what is wrong with `results`, and what AP would be without.
///
/// At most 100 detections of an image count, of all categories together. By descending score, each finds the ground
/// truth of its category that it overlaps most of those that are left; equal scores keep the order of `results`, and
/// images that of the annotations. A detection that finds none is ignored where it lies in a crowd of its category;
/// otherwise it is wrong. What is to blame is told of ignored ones, too: repaired, they count as right. Of the errors
/// that would find one ground truth, the best is repaired and the others are taken away, as are errors of the other
/// kinds. AP is the mean over the categories that have a ground truth or a detection in that count, those that the
/// annotations do not list included: 0 for a category without a ground truth, and where there are no categories at all.
/// "ignore" and areas in the annotations have no effect.
///
/// Throws Error as evaluate() does, and for thresholds other than 0 <= background <= foreground <= 1, foreground > 0.
/// Neither errors nor numbers depend on the number of threads.
ErrorAnalysis analyse_errors(const Annotations& annotations, std::span<const CocoResult> results,
                             const EvaluationOptions& options = {}, const ErrorThresholds& thresholds = {});

}  // namespace maskrt::coco
