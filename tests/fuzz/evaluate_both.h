// Scoring by masks and by boxes, for the targets that read COCO files.
#pragma once

#include <vector>

#include "runtime/coco/error_kinds.h"
#include "target.h"

namespace maskrt::fuzz {

/// Each answers with numbers that are -1 or from 0 to 1, or with an Error; what AP is lost to with points from 0 to
/// 100.
inline void evaluate_both(const coco::Annotations& annotations, const std::vector<coco::CocoResult>& results) {
  for (const auto type : {coco::IouType::segm, coco::IouType::bbox}) {
    coco::EvaluationOptions options;
    options.iou_type = type;
    options.threads = 1;
    answered([&] {
      for (const double metric : coco::evaluate(annotations, results, options).metrics)
        require(metric == -1 || (metric >= 0 && metric <= 1), "a metric is -1 or from 0 to 1");
    });
    answered([&] {
      const coco::ErrorAnalysis analysis = coco::analyse_errors(annotations, results, options);
      for (const double delta : analysis.deltas)
        require(analysis.ap >= 0 && analysis.ap + delta >= 0 && analysis.ap + delta <= 100 + 1e-9,
                "AP is from 0 to 100 points, with errors and without");
    });
  }
}

}  // namespace maskrt::fuzz
