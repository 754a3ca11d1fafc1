// How far the detections of one image and category overlap its annotated instances.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "annotations.h"
#include "evaluate.h"
#include "results.h"
#include "runtime/mask/rle.h"

namespace maskrt::coco {

struct Overlap {
  rle::PairMatrix iou;
  std::vector<double> areas;  ///< areas of the detections
};

/// Compares by masks or by boxes. Immutable, so it may be used from several threads; refers to its arguments.
class OverlapMeasure {
 public:
  OverlapMeasure(const Annotations& annotations, std::span<const CocoResult> results, const EvaluationOptions& options);

  /// Throws Error that names the annotation or result which has no mask or box, or one that is not valid.
  Overlap measure(const ImageEntry& image, std::span<const Annotation* const> truths,
                  std::span<const CocoResult* const> detections) const;

  /// Throws Error where there is no mask, or no box, whichever is compared.
  void expect_shape(const Annotation& truth) const;

  /// The record's place, for messages: "results.json[17]".
  std::string where(const CocoResult& result) const;
  std::string where(const Annotation& annotation) const;

 private:
  Overlap of_masks(const ImageEntry& image, std::span<const Annotation* const> truths,
                   std::span<const CocoResult* const> detections) const;
  /// Where there is nothing to compare it with, a mask is only measured.
  double area_of(const CocoResult& detection, const ImageEntry& image) const;
  Overlap of_boxes(std::span<const Annotation* const> truths, std::span<const CocoResult* const> detections) const;

  /// make(), with the record's place in front of the message of what it throws.
  template <typename Owner, typename Make>
  auto located(const Owner& owner, const Make& make) const {
    try {
      return make();
    } catch (const Error& error) {
      throw Error(where(owner) + ": " + error.what());
    }
  }

  const Annotations& annotations_;
  std::span<const CocoResult> results_;
  const EvaluationOptions& options_;
};

}  // namespace maskrt::coco
