#include "evaluate.h"

#include <algorithm>
#include <utility>

#include "average_precision.h"
#include "matching.h"
#include "overlap.h"
#include "parallel.h"
#include "scored_images.h"

namespace maskrt::coco {
namespace {

/// A category's position, and what became of its detections.
using CategoryMatches = std::pair<std::size_t, ImageMatches>;

/// Each list in order of category, then as given.
void sort_by_category(ScoredImage& image) {
  const auto by_category = [](const auto& a, const auto& b) { return a.first < b.first; };
  std::stable_sort(image.truths.begin(), image.truths.end(), by_category);
  std::stable_sort(image.detections.begin(), image.detections.end(), by_category);
}

ImageMatches match_category(const ImageEntry& image, const std::vector<const Annotation*>& annotated,
                            std::vector<const CocoResult*> found, const OverlapMeasure& measure) {
  std::stable_sort(found.begin(), found.end(),
                   [](const auto* a, const auto* b) { return ranks_before(a->score, b->score); });
  found.resize(std::min(found.size(), kMostDetections));
  const Overlap overlap = measure.measure(image, annotated, found);

  std::vector<GroundTruth> truths;
  for (const Annotation* annotation : annotated) {
    truths.push_back({annotation->id, annotation->area, annotation->crowd});
  }
  ImageMatches matches;
  matches.detections.resize(found.size());
  for (std::size_t d = 0; d < found.size(); ++d) matches.detections[d].score = found[d]->score;
  for (std::size_t r = 0; r < kAreaRanges.size(); ++r) {
    matches.positives[r] = match(truths, overlap.areas, overlap.iou, r, matches.detections);
  }
  return matches;
}

/// Takes the records of one category off the front of what is left.
template <typename T>
std::vector<const T*> take(std::span<const Categorized<T>>& left, std::size_t category) {
  std::vector<const T*> records;
  while (!left.empty() && left.front().first == category) {
    records.push_back(left.front().second);
    left = left.subspan(1);
  }
  return records;
}

/// All categories that the image, which is sorted by category, has anything of.
std::vector<CategoryMatches> match_image(const ScoredImage& image, const OverlapMeasure& measure) {
  std::vector<CategoryMatches> matches;
  std::span<const Categorized<Annotation>> truths = image.truths;
  std::span<const Categorized<CocoResult>> detections = image.detections;
  while (!truths.empty() || !detections.empty()) {
    const std::size_t category = std::min(truths.empty() ? Ids::kNone : truths.front().first,
                                          detections.empty() ? Ids::kNone : detections.front().first);
    const auto annotated = take(truths, category);
    matches.emplace_back(category, match_category(*image.entry, annotated, take(detections, category), measure));
  }
  return matches;
}

}  // namespace

Evaluation evaluate(const Annotations& annotations, std::span<const CocoResult> results,
                    const EvaluationOptions& options) {
  const Ids categories = ids_of(annotations.categories);
  const OverlapMeasure measure(annotations, results, options);
  auto images = collect(annotations, results, options.image_ids, categories, measure);
  for (ScoredImage& image : images) sort_by_category(image);
  if (options.iou_type == IouType::segm) check_outlines(images, measure);

  std::vector<std::vector<CategoryMatches>> matches(images.size());
  parallel_for(images.size(), options.threads, [&](std::size_t i) { matches[i] = match_image(images[i], measure); });

  std::vector<std::vector<const ImageMatches*>> of_category(categories.size());
  for (const auto& image : matches) {
    for (const auto& [category, match] : image) of_category[category].push_back(&match);
  }
  std::vector<CategoryPrecision> precision(categories.size());
  parallel_for(categories.size(), options.threads,
               [&](std::size_t c) { precision[c] = average_precision(of_category[c]); });

  Evaluation evaluation{summarize(precision), {}};
  for (std::size_t c = 0; c < categories.size(); ++c) {
    evaluation.categories.push_back({categories[c], {}, summarize({&precision[c], 1})});
  }
  for (const CategoryEntry& entry : annotations.categories) {
    evaluation.categories[categories.find(entry.id)].name = entry.name;
  }
  return evaluation;
}

void check_shapes(const Annotations& annotations, IouType type) {
  const Ids images = ids_of(annotations.images), categories = ids_of(annotations.categories);
  EvaluationOptions options;
  options.iou_type = type;
  const OverlapMeasure measure(annotations, {}, options);
  for (const Annotation& annotation : annotations.annotations) {
    if (images.find(annotation.image_id) != Ids::kNone && categories.find(annotation.category_id) != Ids::kNone)
      measure.expect_shape(annotation);
  }
}

}  // namespace maskrt::coco
