#include "evaluate.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "average_precision.h"
#include "matching.h"
#include "overlap.h"
#include "parallel.h"

namespace maskrt::coco {
namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

/// Ids in ascending order, without repeats.
class Ids {
 public:
  explicit Ids(std::vector<Id> ids) : ids_(std::move(ids)) {
    std::sort(ids_.begin(), ids_.end());
    ids_.erase(std::unique(ids_.begin(), ids_.end()), ids_.end());
  }
  /// Its position; none where it is not listed.
  std::size_t find(const Id& id) const {
    const auto at = std::lower_bound(ids_.begin(), ids_.end(), id);
    return at == ids_.end() || *at != id ? kNone : static_cast<std::size_t>(at - ids_.begin());
  }
  std::size_t size() const { return ids_.size(); }
  const Id& operator[](std::size_t i) const { return ids_[i]; }

 private:
  std::vector<Id> ids_;
};

template <typename Entry>
Ids ids_of(const std::vector<Entry>& entries) {
  std::vector<Id> ids;
  ids.reserve(entries.size());
  for (const Entry& entry : entries) ids.push_back(entry.id);
  return Ids(std::move(ids));
}

/// A record and the position of its category.
template <typename T>
using Categorized = std::pair<std::size_t, const T*>;

/// What there is to compare in one image, each list in order of category, then as given.
struct ImageContents {
  const ImageEntry* entry = nullptr;
  std::vector<Categorized<Annotation>> truths;
  std::vector<Categorized<CocoResult>> detections;
};

/// A category's position, and what became of its detections.
using CategoryMatches = std::pair<std::size_t, ImageMatches>;

[[noreturn]] void fail_unlisted(const std::string& expected, const Annotations& annotations, const Id& image) {
  throw Error(expected + " that " + annotations.path.string() + " lists, found image_id " + image.described());
}

/// Sorts annotations and results into the images that are scored, in ascending order of image id.
std::vector<ImageContents> collect(const Annotations& annotations, std::span<const CocoResult> results,
                                   const std::optional<std::vector<Id>>& image_ids, const Ids& categories,
                                   const OverlapMeasure& measure) {
  const Ids listed = ids_of(annotations.images);
  const Ids scored = image_ids ? Ids(*image_ids) : listed;
  for (std::size_t i = 0; i < scored.size(); ++i) {
    if (listed.find(scored[i]) == kNone) fail_unlisted("expected images to score", annotations, scored[i]);
  }
  std::vector<ImageContents> images(scored.size());
  for (const ImageEntry& entry : annotations.images) {
    if (const std::size_t i = scored.find(entry.id); i != kNone) images[i].entry = &entry;
  }
  for (const Annotation& annotation : annotations.annotations) {
    const std::size_t i = scored.find(annotation.image_id), c = categories.find(annotation.category_id);
    if (i != kNone && c != kNone) images[i].truths.emplace_back(c, &annotation);
  }
  for (const CocoResult& result : results) {
    if (listed.find(result.image_id) == kNone) {
      fail_unlisted(measure.where(result) + ": expected an image", annotations, result.image_id);
    }
    const std::size_t i = scored.find(result.image_id), c = categories.find(result.category_id);
    if (i != kNone && c != kNone) images[i].detections.emplace_back(c, &result);
  }
  const auto by_category = [](const auto& a, const auto& b) { return a.first < b.first; };
  for (ImageContents& image : images) {
    std::stable_sort(image.truths.begin(), image.truths.end(), by_category);
    std::stable_sort(image.detections.begin(), image.detections.end(), by_category);
  }
  return images;
}

/// Outlines cost time and memory by what they cross in the picture, which a file of a few bytes can make as large as it
/// likes. What is allowed grows with the file; real outlines stay far below.
void check_outlines(const std::vector<ImageContents>& images, const OverlapMeasure& measure) {
  constexpr std::int64_t always = 1 << 23, a_record = 1 << 11, a_coordinate = 32;
  std::int64_t crossed = 0, allowed = always;
  const auto add = [&](const auto& owner, const Polygons& polygons, const ImageEntry& image) {
    allowed += a_record;
    for (const auto& polygon : polygons) {
      allowed += a_coordinate * static_cast<std::int64_t>(polygon.size());
      crossed += rle::crossed_columns(image.width, polygon);
    }
    if (crossed > allowed)
      throw Error(measure.where(owner) + ": expected outlines that cross at most " + std::to_string(allowed) +
                  " pixel columns up to here (" + std::to_string(always) + ", " + std::to_string(a_record) +
                  " a record and " + std::to_string(a_coordinate) + " a coordinate), found " + std::to_string(crossed));
  };
  for (const ImageContents& image : images) {
    for (const auto& [category, truth] : image.truths)
      if (const auto* polygons = std::get_if<Polygons>(&truth->segmentation)) add(*truth, *polygons, *image.entry);
    for (const auto& [category, detection] : image.detections)
      if (!detection->outlines.empty()) add(*detection, detection->outlines, *image.entry);
  }
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

/// All categories that the image has anything of.
std::vector<CategoryMatches> match_image(const ImageContents& image, const OverlapMeasure& measure) {
  std::vector<CategoryMatches> matches;
  std::span<const Categorized<Annotation>> truths = image.truths;
  std::span<const Categorized<CocoResult>> detections = image.detections;
  while (!truths.empty() || !detections.empty()) {
    const std::size_t category =
        std::min(truths.empty() ? kNone : truths.front().first, detections.empty() ? kNone : detections.front().first);
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
  const auto images = collect(annotations, results, options.image_ids, categories, measure);
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
    if (images.find(annotation.image_id) != kNone && categories.find(annotation.category_id) != kNone)
      measure.expect_shape(annotation);
  }
}

}  // namespace maskrt::coco
