#include "panoptic_quality.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "maskrt/types.hpp"
#include "runtime/coco/parallel.h"

namespace maskrt::label_maps {
namespace {

constexpr std::uint32_t kVoid = 0;

/// Pixels that a truth's segment and a result's have in common, of all pairs that have some, by truth, then by result.
struct CommonPixels {
  std::uint32_t truth = 0, result = 0;
  std::uint64_t pixels = 0;
};

std::vector<CommonPixels> common_pixels(const SegmentMap& truth, const SegmentMap& result) {
  std::vector<CommonPixels> runs;
  for (std::size_t i = 0; i < truth.ids.size(); ++i) {
    if (runs.empty() || runs.back().truth != truth.ids[i] || runs.back().result != result.ids[i])
      runs.push_back({truth.ids[i], result.ids[i], 0});
    ++runs.back().pixels;
  }
  std::sort(runs.begin(), runs.end(), [](const CommonPixels& a, const CommonPixels& b) {
    return std::pair(a.truth, a.result) < std::pair(b.truth, b.result);
  });
  std::vector<CommonPixels> pairs;
  for (const CommonPixels& run : runs) {
    if (pairs.empty() || pairs.back().truth != run.truth || pairs.back().result != run.result)
      pairs.push_back(run);
    else
      pairs.back().pixels += run.pixels;
  }
  return pairs;
}

/// A segment with what its map says of it.
struct Found {
  const SegmentInfo* segment;
  std::uint64_t pixels = 0;
  std::uint64_t in_void = 0;   ///< of a result: pixels that are void in the truth
  std::uint64_t in_crowd = 0;  ///< of a result: pixels in the crowd of its category that counts
  bool matched = false;
};

using Segments = std::map<std::uint32_t, Found>;

Segments by_id(const std::vector<SegmentInfo>& segments) {
  Segments found;
  for (const SegmentInfo& segment : segments) found.emplace(segment.id, Found{&segment});
  return found;
}

/// The segment of an id in a map; null for void.
Found* find(Segments& segments, std::uint32_t id, const char* whose) {
  if (id == kVoid) return nullptr;
  const auto at = segments.find(id);
  if (at == segments.end())
    throw Error("expected ids of the " + std::string(whose) + "'s segments_info in its map, found " +
                std::to_string(id));
  return &at->second;
}

void expect_pixels(const Segments& segments, const char* whose) {
  for (const auto& [id, found] : segments)
    if (found.pixels == 0)
      throw Error("expected a pixel or more of each segment in the " + std::string(whose) + "'s segments_info, found " +
                  "none of " + std::to_string(id));
}

/// For each category the crowd in which its results are no false positives.
std::vector<std::uint32_t> crowds_of(const std::vector<SegmentInfo>& truths, std::size_t categories) {
  std::vector<std::uint32_t> crowds(categories, kVoid);
  for (const SegmentInfo& truth : truths)
    if (truth.crowd) crowds[truth.category] = truth.id;
  return crowds;
}

Quality quality_of(const SegmentMatches& matches) {
  if (!matches.counts()) return {};
  const double most = static_cast<double>(matches.matched) + 0.5 * static_cast<double>(matches.false_positives) +
                      0.5 * static_cast<double>(matches.missed);
  const auto matched = static_cast<double>(matches.matched);
  return {matches.iou / most, matches.matched == 0 ? 0 : matches.iou / matched, matched / most};
}

MeanQuality mean_of(const std::vector<CategoryQuality>& categories, std::optional<bool> things) {
  MeanQuality mean;
  Quality sum{0, 0, 0};
  for (const CategoryQuality& one : categories) {
    if ((things && *things != one.is_thing) || !one.matches.counts()) continue;
    sum.pq += one.quality.pq;
    sum.sq += one.quality.sq;
    sum.rq += one.quality.rq;
    ++mean.categories;
  }
  if (mean.categories == 0) return mean;
  const auto count = static_cast<double>(mean.categories);
  mean.quality = {sum.pq / count, sum.sq / count, sum.rq / count};
  return mean;
}

/// An image of the truths and its result.
using ImagePair = std::pair<const PanopticImage*, const PanopticImage*>;

std::vector<ImagePair> pair_images(const PanopticSet& truths, const PanopticSet& results) {
  std::map<coco::Id, const PanopticImage*> of_id;
  for (const PanopticImage& image : results.images) of_id.emplace(image.id, &image);
  std::vector<ImagePair> pairs;
  std::size_t missing = 0;
  std::string first;
  for (const PanopticImage& image : truths.images) {
    const auto found = of_id.find(image.id);
    if (found != of_id.end())
      pairs.emplace_back(&image, found->second);
    else if (missing++ == 0)
      first = image.id.described();
  }
  if (missing > 0)
    throw Error("expected results on all " + std::to_string(truths.images.size()) + " images of " +
                truths.path.string() + " in " + results.path.string() + ", " + std::to_string(missing) +
                (missing == 1 ? " is" : " are") + " missing, the first has the image_id " + first);
  return pairs;
}

}  // namespace

void SegmentMatches::add(const SegmentMatches& other) {
  iou += other.iou;
  matched += other.matched;
  false_positives += other.false_positives;
  missed += other.missed;
}

std::vector<SegmentMatches> match_segments(const SegmentMap& truth_map, const std::vector<SegmentInfo>& truths,
                                           const SegmentMap& result_map, const std::vector<SegmentInfo>& results,
                                           std::size_t categories) {
  if (truth_map.width != result_map.width || truth_map.height != result_map.height)
    throw Error("expected a result of " + size_text(truth_map.width, truth_map.height) +
                " pixels as the truth has, found " + size_text(result_map.width, result_map.height));
  Segments truth_segments = by_id(truths), result_segments = by_id(results);
  const std::vector<std::uint32_t> crowds = crowds_of(truths, categories);
  const std::vector<CommonPixels> pairs = common_pixels(truth_map, result_map);
  for (const CommonPixels& pair : pairs) {
    Found* const truth = find(truth_segments, pair.truth, "truth");
    Found* const result = find(result_segments, pair.result, "result");
    if (truth != nullptr) truth->pixels += pair.pixels;
    if (result == nullptr) continue;
    result->pixels += pair.pixels;
    if (truth == nullptr)
      result->in_void += pair.pixels;
    else if (pair.truth == crowds[result->segment->category])
      result->in_crowd += pair.pixels;
  }
  expect_pixels(truth_segments, "truth");
  expect_pixels(result_segments, "result");

  std::vector<SegmentMatches> matches(categories);
  for (const CommonPixels& pair : pairs) {
    Found* const truth = find(truth_segments, pair.truth, "truth");
    Found* const result = find(result_segments, pair.result, "result");
    if (truth == nullptr || result == nullptr || truth->segment->crowd) continue;
    if (truth->segment->category != result->segment->category) continue;
    const double truth_area = truth->segment->area.value_or(static_cast<double>(truth->pixels));
    const auto common = static_cast<double>(pair.pixels);
    const double all = static_cast<double>(result->pixels) + truth_area - common - static_cast<double>(result->in_void);
    const double iou = common / all;
    if (!(iou > 0.5)) continue;
    SegmentMatches& category = matches[truth->segment->category];
    category.iou += iou;
    ++category.matched;
    truth->matched = result->matched = true;
  }
  for (const auto& [id, truth] : truth_segments)
    if (!truth.matched && !truth.segment->crowd) ++matches[truth.segment->category].missed;
  for (const auto& [id, result] : result_segments) {
    const double ignored = static_cast<double>(result.in_void + result.in_crowd) / static_cast<double>(result.pixels);
    if (!result.matched && !(ignored > 0.5)) ++matches[result.segment->category].false_positives;
  }
  return matches;
}

ImageMatches those_that_count(std::span<const SegmentMatches> matches) {
  ImageMatches counting;
  for (std::size_t i = 0; i < matches.size(); ++i)
    if (matches[i].counts()) counting.emplace(i, matches[i]);
  return counting;
}

PanopticScorer::PanopticScorer(const std::vector<PanopticCategory>& categories) {
  for (const PanopticCategory& category : categories)
    quality_.categories.push_back({category.id, category.name, category.is_thing, {}, {}});
}

void PanopticScorer::add(const ImageMatches& matches) {
  if (!matches.empty() && matches.rbegin()->first >= quality_.categories.size())
    throw Error("panoptic quality: expected matches of " + std::to_string(quality_.categories.size()) +
                " categories, found some of category " + std::to_string(matches.rbegin()->first));
  for (const auto& [category, found] : matches) quality_.categories[category].matches.add(found);
  ++quality_.images;
}

PanopticQuality PanopticScorer::quality() const {
  PanopticQuality quality = quality_;
  for (CategoryQuality& one : quality.categories) one.quality = quality_of(one.matches);
  quality.all = mean_of(quality.categories, std::nullopt);
  quality.things = mean_of(quality.categories, true);
  quality.stuff = mean_of(quality.categories, false);
  return quality;
}

PanopticQuality panoptic_quality(const PanopticSet& truths, const PanopticSet& results, int threads) {
  const std::vector<ImagePair> pairs = pair_images(truths, results);
  const std::size_t categories = truths.categories.size();
  std::vector<ImageMatches> of_image(pairs.size());
  coco::parallel_for(pairs.size(), threads, [&](std::size_t i) {
    const auto& [truth, result] = pairs[i];
    const std::filesystem::path truth_file = truths.maps / truth->file_name;
    const std::filesystem::path result_file = results.maps / result->file_name;
    const SegmentMap truth_map = read_segment_map(truth_file), result_map = read_segment_map(result_file);
    try {
      of_image[i] =
          those_that_count(match_segments(truth_map, truth->segments, result_map, result->segments, categories));
    } catch (const Error& error) {
      throw Error(result_file.string() + " and " + truth_file.string() + " (image " + truth->id.described() +
                  "): " + error.what());
    }
  });

  PanopticScorer scorer(truths.categories);
  for (const ImageMatches& matches : of_image) scorer.add(matches);
  PanopticQuality quality = scorer.quality();
  quality.left_out = results.images.size() - pairs.size();
  return quality;
}

}  // namespace maskrt::label_maps
