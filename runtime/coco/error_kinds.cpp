#include "error_kinds.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "average_precision.h"
#include "matching.h"
#include "overlap.h"
#include "parallel.h"
#include "scored_images.h"

namespace maskrt::coco {
namespace {

/// A detection that counts, and what became of it.
struct JudgedDetection {
  std::size_t category = 0;
  double score = 0;
  bool ignored = false;
  std::optional<ErrorKind> error;       ///< nothing: it is right
  std::optional<std::size_t> repaired;  ///< the category in which it is right once repaired; nothing: it is taken away
};

/// A ground truth, not a crowd.
struct JudgedTruth {
  std::size_t category = 0;
  bool found = false;
  bool repairable = false;  ///< a detection would find it if it were repaired
};

struct JudgedImage {
  std::vector<JudgedDetection> detections;  ///< in descending order of score
  std::vector<JudgedTruth> truths;
};

/// A ground truth and how far a detection overlaps it.
struct Candidate {
  std::size_t truth;
  double iou;
};

/// Judges one image's detections, one after the other.
class Judge {
 public:
  Judge(const ScoredImage& image, const OverlapMeasure& measure, const ErrorThresholds& thresholds);
  JudgedImage judge();

 private:
  void find_truths();
  void ignore_in_crowds();
  void blame(std::size_t detection);
  std::pair<ErrorKind, std::optional<std::size_t>> kind_of(std::size_t detection) const;

  /// The ground truth that a detection overlaps most, the first of equals, where those that do not count have an IoU
  /// of 0. There must be one.
  template <typename Counts>
  Candidate best(std::size_t detection, const Counts& counts) const;
  bool same_category(std::size_t detection, std::size_t truth) const {
    return judged_.detections[detection].category == judged_.truths[truth].category;
  }

  const ErrorThresholds& thresholds_;
  std::vector<std::size_t> columns_;                         // by truth: its place in overlap_
  std::vector<std::pair<std::size_t, std::size_t>> crowds_;  // category and place in overlap_
  Overlap overlap_;
  JudgedImage judged_;
};

Judge::Judge(const ScoredImage& image, const OverlapMeasure& measure, const ErrorThresholds& thresholds)
    : thresholds_(thresholds) {
  auto ranked = image.detections;
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& a, const auto& b) { return ranks_before(a.second->score, b.second->score); });
  ranked.resize(std::min(ranked.size(), kMostDetections));

  std::vector<const Annotation*> annotated;
  for (const auto& [category, annotation] : image.truths) {
    if (annotation->crowd) {
      crowds_.emplace_back(category, annotated.size());
    } else {
      columns_.push_back(annotated.size());
      judged_.truths.push_back({category});
    }
    annotated.push_back(annotation);
  }
  std::vector<const CocoResult*> found;
  for (const auto& [category, result] : ranked) {
    judged_.detections.push_back({category, result->score, false, ErrorKind::background, {}});
    found.push_back(result);
  }
  overlap_ = measure.measure(*image.entry, annotated, found);
}

template <typename Counts>
Candidate Judge::best(std::size_t detection, const Counts& counts) const {
  const auto iou = [&](std::size_t t) { return counts(t) ? overlap_.iou.at(detection, columns_[t]) : 0; };
  Candidate best{0, iou(0)};
  for (std::size_t t = 1; t < judged_.truths.size(); ++t) {
    if (const double other = iou(t); other > best.iou) best = {t, other};
  }
  return best;
}

void Judge::find_truths() {
  if (judged_.truths.empty()) return;
  for (std::size_t d = 0; d < judged_.detections.size(); ++d) {
    const Candidate candidate = best(d, [&](std::size_t t) { return same_category(d, t) && !judged_.truths[t].found; });
    if (!(candidate.iou >= thresholds_.foreground)) continue;  // also where boxes without an end make it no number
    judged_.truths[candidate.truth].found = true;
    judged_.detections[d].error.reset();
  }
}

void Judge::ignore_in_crowds() {
  for (std::size_t d = 0; d < judged_.detections.size(); ++d) {
    JudgedDetection& detection = judged_.detections[d];
    for (const auto& [category, column] : crowds_) {
      if (detection.error && category == detection.category && overlap_.iou.at(d, column) > thresholds_.foreground)
        detection.ignored = true;
    }
  }
}

std::pair<ErrorKind, std::optional<std::size_t>> Judge::kind_of(std::size_t d) const {
  const auto& [foreground, background] = thresholds_;
  const auto& truths = judged_.truths;
  if (truths.empty()) return {ErrorKind::background, {}};
  const Candidate same = best(d, [&](std::size_t t) { return same_category(d, t); });
  if (background <= same.iou && same.iou <= foreground) return {ErrorKind::localisation, same.truth};
  const Candidate other = best(d, [&](std::size_t t) { return !same_category(d, t); });
  if (other.iou >= foreground) return {ErrorKind::classification, other.truth};
  const Candidate taken = best(d, [&](std::size_t t) { return same_category(d, t) && truths[t].found; });
  if (taken.iou >= foreground) return {ErrorKind::duplicate, {}};
  const Candidate any = best(d, [](std::size_t) { return true; });
  return {any.iou <= background ? ErrorKind::background : ErrorKind::both, {}};
}

void Judge::blame(std::size_t d) {
  JudgedDetection& detection = judged_.detections[d];
  const auto [kind, meant] = kind_of(d);
  detection.error = kind;
  if (!meant) return;
  JudgedTruth& truth = judged_.truths[*meant];
  if (truth.found || truth.repairable) return;
  truth.repairable = true;
  detection.repaired = kind == ErrorKind::classification ? truth.category : detection.category;
}

JudgedImage Judge::judge() {
  find_truths();
  ignore_in_crowds();
  for (std::size_t d = 0; d < judged_.detections.size(); ++d) {
    if (judged_.detections[d].error) blame(d);
  }
  return std::move(judged_);
}

/// One category as its precision and recall are computed.
struct Outcome {
  std::vector<std::pair<double, bool>> detections;  ///< score, and whether it is right
  std::size_t positives = 0;                        ///< ground truths that are to be found
};

/// Recalls 0, 1 / 100, 2 / 100, ... 1.
RecallThresholds recall_thresholds() {
  RecallThresholds thresholds{};
  for (std::size_t r = 0; r < kRecallCount; ++r) thresholds[r] = static_cast<double>(r) / (kRecallCount - 1);
  return thresholds;
}

double area_under_curve(Outcome& outcome) {
  static const RecallThresholds thresholds = recall_thresholds();
  if (outcome.positives == 0) return 0;
  std::stable_sort(outcome.detections.begin(), outcome.detections.end(),
                   [](const auto& a, const auto& b) { return ranks_before(a.first, b.first); });
  std::vector<double> recall, precision;
  double right = 0, all = 0;
  for (const auto& [score, is_right] : outcome.detections) {
    all += 1;
    if (!is_right) continue;
    right += 1;
    recall.push_back(right / static_cast<double>(outcome.positives));
    precision.push_back(right / all);
  }
  return mean_precision(recall, precision, thresholds);
}

/// The outcome by category with the errors of one kind repaired.
///
/// Where nothing is repaired, detections of equal scores rank in the order of the images. Otherwise the wrong ones,
/// repaired or not, rank before the right ones, as tidecv has it.
class Outcomes {
 public:
  explicit Outcomes(std::size_t categories) : outcomes_(categories) {}

  void add(std::span<const JudgedImage> images, std::optional<ErrorKind> repaired);
  /// In points.
  double mean_average_precision();

 private:
  void add_truths(const JudgedImage& image, std::optional<ErrorKind> repaired);
  void add_wrong(const JudgedDetection& detection, std::optional<ErrorKind> repaired);
  void add_right(const JudgedDetection& detection, std::optional<ErrorKind> repaired);
  void push(std::size_t category, double score, bool right) {
    outcomes_[category].detections.emplace_back(score, right);
  }

  std::vector<Outcome> outcomes_;
};

void Outcomes::add(std::span<const JudgedImage> images, std::optional<ErrorKind> repaired) {
  for (const JudgedImage& image : images) {
    add_truths(image, repaired);
    for (const JudgedDetection& detection : image.detections) {
      if (detection.error)
        add_wrong(detection, repaired);
      else if (!repaired)
        add_right(detection, repaired);
    }
  }
  if (!repaired) return;
  for (const JudgedImage& image : images) {
    for (const JudgedDetection& detection : image.detections)
      if (!detection.error) add_right(detection, repaired);
  }
}

void Outcomes::add_truths(const JudgedImage& image, std::optional<ErrorKind> repaired) {
  for (const JudgedTruth& truth : image.truths) {
    const bool gone = !truth.found &&
                      (repaired == ErrorKind::false_negatives || (repaired == ErrorKind::missed && !truth.repairable));
    if (!gone) ++outcomes_[truth.category].positives;
  }
}

void Outcomes::add_wrong(const JudgedDetection& detection, std::optional<ErrorKind> repaired) {
  if (detection.error == repaired) {
    if (detection.repaired) push(*detection.repaired, detection.score, true);
  } else if (!detection.ignored) {
    push(detection.category, repaired == ErrorKind::false_positives ? 0 : detection.score, false);
  }
}

void Outcomes::add_right(const JudgedDetection& detection, std::optional<ErrorKind> repaired) {
  push(detection.category, repaired == ErrorKind::false_positives ? 1 : detection.score, true);
}

double Outcomes::mean_average_precision() {
  double sum = 0;
  std::size_t count = 0;
  for (Outcome& outcome : outcomes_) {
    if (outcome.detections.empty() && outcome.positives == 0) continue;
    sum += area_under_curve(outcome);
    ++count;
  }
  return count == 0 ? 0 : 100 * sum / static_cast<double>(count);
}

double mean_average_precision(std::span<const JudgedImage> images, std::size_t categories,
                              std::optional<ErrorKind> repaired) {
  Outcomes outcomes(categories);
  outcomes.add(images, repaired);
  return outcomes.mean_average_precision();
}

void check(const ErrorThresholds& thresholds) {
  const auto& [foreground, background] = thresholds;
  if (background >= 0 && background <= foreground && foreground > 0 && foreground <= 1) return;
  throw Error("errors: expected thresholds 0 <= background <= foreground <= 1 and foreground > 0, found background " +
              std::to_string(background) + " and foreground " + std::to_string(foreground));
}

/// Of all records, whether the annotations list them or not.
Ids all_categories(const Annotations& annotations, std::span<const CocoResult> results) {
  const Ids listed = ids_of(annotations.categories);
  std::vector<Id> ids;
  for (std::size_t c = 0; c < listed.size(); ++c) ids.push_back(listed[c]);
  const auto add = [&](const auto& records) {
    for (const auto& record : records)
      if (listed.find(record.category_id) == Ids::kNone) ids.push_back(record.category_id);
  };
  add(annotations.annotations);
  add(results);
  return Ids(std::move(ids));
}

}  // namespace

ErrorAnalysis analyse_errors(const Annotations& annotations, std::span<const CocoResult> results,
                             const EvaluationOptions& options, const ErrorThresholds& thresholds) {
  check(thresholds);
  const Ids categories = all_categories(annotations, results);
  const OverlapMeasure measure(annotations, results, options);
  auto images = collect(annotations, results, options.image_ids, categories, measure);
  // tidecv takes images in the order of their file, which decides between equal scores.
  std::sort(images.begin(), images.end(), [](const auto& a, const auto& b) { return a.entry < b.entry; });
  if (options.iou_type == IouType::segm) check_outlines(images, measure);

  std::vector<JudgedImage> judged(images.size());
  parallel_for(images.size(), options.threads,
               [&](std::size_t i) { judged[i] = Judge(images[i], measure, thresholds).judge(); });

  std::array<double, kErrorNames.size() + 1> precision{};  // with each kind repaired, and with none
  parallel_for(precision.size(), options.threads, [&](std::size_t kind) {
    const bool none = kind == kErrorNames.size();
    precision[kind] = mean_average_precision(judged, categories.size(),
                                             none ? std::nullopt : std::optional(static_cast<ErrorKind>(kind)));
  });
  ErrorAnalysis analysis;
  analysis.ap = precision.back();
  for (std::size_t kind = 0; kind < kErrorNames.size(); ++kind) {
    const double delta = precision[kind] - analysis.ap;
    // Repairing may cost a little, where it changes the order of equal scores; as in tidecv, only the last two tell.
    const bool special = kind >= static_cast<std::size_t>(ErrorKind::false_positives);
    analysis.deltas[kind] = special ? delta : std::max(delta, 0.0);
  }
  return analysis;
}

}  // namespace maskrt::coco
