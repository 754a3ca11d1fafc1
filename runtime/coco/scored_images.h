// Annotations and results by image: what an evaluation goes over.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "annotations.h"
#include "id.h"
#include "overlap.h"
#include "results.h"

namespace maskrt::coco {

/// Ids in ascending order, without repeats.
class Ids {
 public:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  explicit Ids(std::vector<Id> ids);
  /// Its position; kNone where it is not listed.
  std::size_t find(const Id& id) const;
  std::size_t size() const { return ids_.size(); }
  const Id& operator[](std::size_t i) const { return ids_[i]; }

 private:
  std::vector<Id> ids_;
};

/// Of images or categories.
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

/// What there is to compare in one image.
struct ScoredImage {
  const ImageEntry* entry = nullptr;
  std::vector<Categorized<Annotation>> truths;
  std::vector<Categorized<CocoResult>> detections;
};

/// The images of `image_ids` (nothing: all that the annotations list), in ascending order of id, each with its records
/// in the order of their files. Records of other images, and of categories that are not among `categories`, are left
/// out. All that is given must outlive what comes back.
/// Throws Error for an image to score, or one of a result, that the annotations do not list.
std::vector<ScoredImage> collect(const Annotations& annotations, std::span<const CocoResult> results,
                                 const std::optional<std::vector<Id>>& image_ids, const Ids& categories,
                                 const OverlapMeasure& measure);

/// Outlines cost time and memory by what they cross in the picture, which a file of a few bytes can make as large as it
/// likes. What is allowed grows with the file; real outlines stay far below. Throws Error that names the record with
/// which it is too much.
void check_outlines(std::span<const ScoredImage> images, const OverlapMeasure& measure);

}  // namespace maskrt::coco
