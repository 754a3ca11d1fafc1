// COCO's numbers of instances, as tables and as JSON.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "runtime/coco/error_kinds.h"
#include "runtime/coco/evaluate.h"

namespace maskrt::cli {

/// What the command computes.
struct Scores {
  coco::Metrics metrics{};
  std::optional<coco::ErrorAnalysis> errors;  ///< where they were asked for
};

/// Throws Error as coco::evaluate() does. `errors`: what AP is lost to, too.
Scores score(const coco::Annotations& annotations, std::span<const coco::CocoResult> results,
             const coco::EvaluationOptions& options, bool errors);

/// pycocotools' table, and the one of errors where there is one.
void print(const Scores& scores);

/// An object with the twelve numbers and, where they were asked for, "errors". Throws Error.
void write_scores(const std::string& path, const Scores& scores);

}  // namespace maskrt::cli
