// Scoring by masks and by boxes, for the targets that read COCO files.
#pragma once

#include <vector>

#include "runtime/coco/evaluate.h"
#include "target.h"

namespace maskrt::fuzz {

/// Each answers with numbers that are -1 or from 0 to 1, or with an Error.
inline void evaluate_both(const coco::Annotations& annotations, const std::vector<coco::CocoResult>& results) {
  for (const auto type : {coco::IouType::segm, coco::IouType::bbox}) {
    coco::EvaluationOptions options;
    options.iou_type = type;
    options.threads = 1;
    answered([&] {
      for (const double metric : coco::evaluate(annotations, results, options).metrics)
        require(metric == -1 || (metric >= 0 && metric <= 1), "a metric is -1 or from 0 to 1");
    });
  }
}

}  // namespace maskrt::fuzz
