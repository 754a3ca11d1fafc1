#include "instance_scores.h"

#include <array>
#include <nlohmann/json.hpp>

#include "console.h"
#include "outputs.h"

namespace maskrt::cli {
namespace {

/// The table that pycocotools prints.
void print_table(const coco::Metrics& metrics) {
  struct Row {
    const char *iou, *area;
    int detections;
  };
  constexpr Row rows[12] = {{"0.50:0.95", "all", 100},   {"0.50", "all", 100},         {"0.75", "all", 100},
                            {"0.50:0.95", "small", 100}, {"0.50:0.95", "medium", 100}, {"0.50:0.95", "large", 100},
                            {"0.50:0.95", "all", 1},     {"0.50:0.95", "all", 10},     {"0.50:0.95", "all", 100},
                            {"0.50:0.95", "small", 100}, {"0.50:0.95", "medium", 100}, {"0.50:0.95", "large", 100}};
  for (std::size_t i = 0; i < metrics.size(); ++i)
    say(" %-18s %s @[ IoU=%-9s | area=%6s | maxDets=%3d ] = %.3f\n", i < 6 ? "Average Precision" : "Average Recall",
        i < 6 ? "(AP)" : "(AR)", rows[i].iou, rows[i].area, rows[i].detections, metrics[i]);
}

/// AP at one threshold and what is lost to each kind of error, in points.
void print_errors(const coco::ErrorAnalysis& analysis) {
  constexpr std::array<const char*, coco::kErrorNames.size()> meaning = {
      "another category", "overlaps too little", "both of these",     "found before",
      "nothing is there", "not found by any",    "all that is wrong", "all that is not found",
  };
  const coco::ErrorThresholds thresholds;
  say("\n Errors of AP @[ IoU=%.2f ] = %.2f points, by kind (TIDE; background below IoU=%.2f)\n", thresholds.foreground,
      analysis.ap, thresholds.background);
  for (std::size_t kind = 0; kind < meaning.size(); ++kind)
    say(" %-8s  %-21s  dAP = %6.2f\n", coco::kErrorNames[kind], meaning[kind], analysis.deltas[kind]);
}

nlohmann::ordered_json json_of(const coco::ErrorAnalysis& analysis) {
  nlohmann::ordered_json json = {{"AP", analysis.ap}};
  for (std::size_t kind = 0; kind < coco::kErrorNames.size(); ++kind)
    json[coco::kErrorNames[kind]] = analysis.deltas[kind];
  return json;
}

}  // namespace

Scores score(const coco::Annotations& annotations, std::span<const coco::CocoResult> results,
             const coco::EvaluationOptions& options, bool errors) {
  Scores scores;
  scores.metrics = coco::evaluate(annotations, results, options).metrics;
  if (errors) scores.errors = coco::analyse_errors(annotations, results, options);
  return scores;
}

void print(const Scores& scores) {
  print_table(scores.metrics);
  if (scores.errors) print_errors(*scores.errors);
}

void write_scores(const std::string& path, const Scores& scores) {
  nlohmann::ordered_json json;
  for (std::size_t i = 0; i < scores.metrics.size(); ++i) json[coco::kMetricNames[i]] = scores.metrics[i];
  if (scores.errors) json["errors"] = json_of(*scores.errors);
  write_text_file(path, json.dump(1));
}

}  // namespace maskrt::cli
