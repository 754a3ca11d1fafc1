#include "scored_images.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <variant>

namespace maskrt::coco {
namespace {

[[noreturn]] void fail_unlisted(const std::string& expected, const Annotations& annotations, const Id& image) {
  throw Error(expected + " that " + annotations.path.string() + " lists, found image_id " + image.described());
}

}  // namespace

Ids::Ids(std::vector<Id> ids) : ids_(std::move(ids)) {
  std::sort(ids_.begin(), ids_.end());
  ids_.erase(std::unique(ids_.begin(), ids_.end()), ids_.end());
}

std::size_t Ids::find(const Id& id) const {
  const auto at = std::lower_bound(ids_.begin(), ids_.end(), id);
  return at == ids_.end() || *at != id ? kNone : static_cast<std::size_t>(at - ids_.begin());
}

std::vector<ScoredImage> collect(const Annotations& annotations, std::span<const CocoResult> results,
                                 const std::optional<std::vector<Id>>& image_ids, const Ids& categories,
                                 const OverlapMeasure& measure) {
  const Ids listed = ids_of(annotations.images);
  const Ids scored = image_ids ? Ids(*image_ids) : listed;
  for (std::size_t i = 0; i < scored.size(); ++i) {
    if (listed.find(scored[i]) == Ids::kNone) fail_unlisted("expected images to score", annotations, scored[i]);
  }
  std::vector<ScoredImage> images(scored.size());
  for (const ImageEntry& entry : annotations.images) {
    if (const std::size_t i = scored.find(entry.id); i != Ids::kNone) images[i].entry = &entry;
  }
  for (const Annotation& annotation : annotations.annotations) {
    const std::size_t i = scored.find(annotation.image_id), c = categories.find(annotation.category_id);
    if (i != Ids::kNone && c != Ids::kNone) images[i].truths.emplace_back(c, &annotation);
  }
  for (const CocoResult& result : results) {
    if (listed.find(result.image_id) == Ids::kNone) {
      fail_unlisted(measure.where(result) + ": expected an image", annotations, result.image_id);
    }
    const std::size_t i = scored.find(result.image_id), c = categories.find(result.category_id);
    if (i != Ids::kNone && c != Ids::kNone) images[i].detections.emplace_back(c, &result);
  }
  return images;
}

void check_outlines(std::span<const ScoredImage> images, const OverlapMeasure& measure) {
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
  for (const ScoredImage& image : images) {
    for (const auto& [category, truth] : image.truths)
      if (const auto* polygons = std::get_if<Polygons>(&truth->segmentation)) add(*truth, *polygons, *image.entry);
    for (const auto& [category, detection] : image.detections)
      if (!detection->outlines.empty()) add(*detection, detection->outlines, *image.entry);
  }
}

}  // namespace maskrt::coco
