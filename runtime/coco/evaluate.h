// COCO's average precision and recall, to the same numbers as pycocotools.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "annotations.h"
#include "results.h"

namespace maskrt::coco {

/// COCO's twelve numbers, in the order of `kMetricNames`, from 0 to 1; -1 where no ground truth counts.
using Metrics = std::array<double, 12>;

/// AP: averaged over IoU thresholds 0.50 to 0.95 and categories; AP50, AP75: at one threshold; AR1, AR10, AR100: the
/// highest recall with so many detections per image; s, m, l: instances below 32x32, up to 96x96, and above.
inline constexpr std::array<const char*, 12> kMetricNames = {"AP",  "AP50", "AP75",  "APs", "APm", "APl",
                                                             "AR1", "AR10", "AR100", "ARs", "ARm", "ARl"};

struct EvaluationOptions {
  IouType iou_type = IouType::segm;
  /// The images to score; nothing: all that the annotations list. Results on other listed images do not count.
  std::optional<std::vector<Id>> image_ids;
  int threads = 0;                       ///< 0: all that the process may use, as usable_processors() counts
  std::string results_name = "results";  ///< stands for the results in messages: their file, where they have one
};

struct CategoryEvaluation {
  Id id;
  std::string name;
  Metrics metrics{};  ///< metrics of this category alone
};

struct Evaluation {
  Metrics metrics{};
  std::vector<CategoryEvaluation> categories;  ///< all that the annotations list, in ascending order of id
};

/// Scores `results` against `annotations`.
///
/// As pycocotools: at most 100 detections of an image and category count; equal scores keep the order of `results`, and
/// NaN comes last; results of categories that the annotations do not list are left out; crowds are matched any number
/// of times and never count; "ignore" in the annotations has no effect. With IouType::segm, a detection's area is its
/// mask's, whether or not the results have boxes (pycocotools takes it from boxes where there are any; COCO's
/// evaluators remove them first). With IouType::bbox, box and area are the result's where the first result has a box,
/// else the mask's. An image without a stated size has the size of its masks.
///
/// Throws Error that names the record: a result on an image that the annotations do not list, or without the mask or
/// box that it is scored by; an annotation without it; a mask of another size than its image's; runs that do not fill
/// their mask. The error does not depend on the number of threads, nor do the numbers.
Evaluation evaluate(const Annotations& annotations, std::span<const CocoResult> results,
                    const EvaluationOptions& options = {});

/// What evaluate() would find, before there are results: throws its Error for an annotation without the mask or box
/// that it is scored by.
void check_shapes(const Annotations& annotations, IouType type);

}  // namespace maskrt::coco
