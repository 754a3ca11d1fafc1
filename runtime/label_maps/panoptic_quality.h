// Panoptic quality (Kirillov et al., "Panoptic Segmentation", 2019), to the same numbers as COCO's panopticapi.
//
// A result matches a truth of its category where the two overlap by an IoU of more than 0.5, so that each has one match
// at most. Of each category:
//   PQ = (sum of the matches' IoU) / (TP + FP / 2 + FN / 2),   SQ = (sum of IoU) / TP,   RQ = PQ / SQ.
// - Void pixels of the truth (id 0) count in no union.
// - Crowds match nothing and are not missed.
// - A result without a match is no false positive where more than half of its pixels are void, or lie in a crowd of its
//   category: the last one that the truth lists.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "panoptic.h"

namespace maskrt::label_maps {

/// What became of one category's segments.
struct SegmentMatches {
  double iou = 0;  ///< sum over the matches
  std::size_t matched = 0, false_positives = 0, missed = 0;

  void add(const SegmentMatches& other);
  bool counts() const { return matched + false_positives + missed > 0; }
};

/// From 0 to 1; -1 where nothing counts.
struct Quality {
  double pq = -1, sq = -1, rq = -1;
};

struct CategoryQuality {
  coco::Id id;
  std::string name;
  bool is_thing = false;
  SegmentMatches matches;
  Quality quality;
};

/// Means over the categories that have segments, in truths or results.
struct MeanQuality {
  Quality quality;
  std::size_t categories = 0;
};

struct PanopticQuality {
  MeanQuality all, things, stuff;
  std::vector<CategoryQuality> categories;  ///< all that the annotations list
  std::size_t images = 0;
  std::size_t left_out = 0;  ///< results on images that the annotations do not list
};

/// Compares an image's segments, of as many categories. Throws Error, without the files' names: for maps of different
/// sizes, ids in a map that its segments lack, and segments without a pixel.
std::vector<SegmentMatches> match_segments(const SegmentMap& truth_map, const std::vector<SegmentInfo>& truths,
                                           const SegmentMap& result_map, const std::vector<SegmentInfo>& results,
                                           std::size_t categories);

/// An image's matches of the categories in which something counts, by their places in the annotations' list: few of
/// many.
using ImageMatches = std::map<std::size_t, SegmentMatches>;

/// Of what match_segments() gives, what counts.
ImageMatches those_that_count(std::span<const SegmentMatches> matches);

/// Adds up matches, image after image. Sums have the same last bits where the order is the same.
class PanopticScorer {
 public:
  /// `categories`: of the annotations.
  explicit PanopticScorer(const std::vector<PanopticCategory>& categories);

  /// An image's matches. Throws Error for a category that there is not.
  void add(const ImageMatches& matches);
  std::size_t images() const { return quality_.images; }
  /// Of the images so far; none was left out.
  PanopticQuality quality() const;

 private:
  PanopticQuality quality_;  ///< counts and categories, without their quality
};

/// Reads and compares the maps of all images that `truths` has. Throws Error: for an image without a result, and what
/// match_segments() throws, with the files' names, of the first image that has something wrong. Neither numbers nor
/// errors depend on the number of threads (0: all that the process may use).
PanopticQuality panoptic_quality(const PanopticSet& truths, const PanopticSet& results, int threads = 0);

}  // namespace maskrt::label_maps
