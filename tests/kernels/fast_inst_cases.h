// FastInst's head on a device against the plain loops that define it: cases, and what may differ.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <random>

#include "kernels/heads/fast_inst/fast_inst.h"
#include "kernels/heads/fast_inst/queries.h"
#include "map_cases.h"

namespace maskrt::testing::fast_inst {

using namespace kernels;

struct Case {
  std::int64_t queries, classes, height, width;  ///< of the mask logits
  Geometry geometry;
  int block;  ///< of the mask logits
};

inline std::ostream& operator<<(std::ostream& stream, const Case& c) {
  const Geometry& g = c.geometry;
  return stream << c.queries << " queries of " << c.classes << " classes, masks " << c.height << "x" << c.width
                << ", image " << g.original_height << "x" << g.original_width << ", resized " << g.resized_height << "x"
                << g.resized_width << ", padded " << g.padded_height << "x" << g.padded_width << ", block " << c.block;
}

/// 1, primes, around vectors and words; pictures that are enlarged, reduced, left as they are, and padded on both
/// sides.
inline const std::vector<Case> cases = {
    {1, 1, 1, 1, {1, 1, 8, 8, 8, 8}, 1},
    {3, 2, 2, 3, {24, 16, 24, 16, 24, 16}, 16},
    {5, 3, 4, 5, {37, 29, 37, 29, 40, 32}, 8},
    {7, 13, 8, 12, {131, 65, 90, 45, 96, 64}, 16},
    {17, 80, 12, 9, {49, 67, 70, 96, 72, 96}, 16},
    {33, 7, 5, 16, {257, 63, 128, 32, 128, 40}, 0},
    {100, 133, 10, 14, {112, 75, 108, 72, 112, 80}, 16},
    {16, 5, 16, 3, {5, 200, 20, 128, 24, 128}, 1},
};

/// Logits of blobs: each query's mask is a hill somewhere in the map.
struct Logits {
  OwnedTensor classes, masks;
  explicit Logits(const Case& c)
      : classes(DataType::f32, 2, c.queries, 1, c.classes + 1, 0),
        masks(DataType::f32, 2, c.height, c.width, c.queries, c.block) {
    classes.fill(1, -4, 4);
    std::mt19937 engine(2);
    std::uniform_real_distribution<double> number(0, 1);
    for (std::int64_t b = 0; b < 2; ++b)
      for (std::int64_t q = 0; q < c.queries; ++q) {
        const double y0 = number(engine) * static_cast<double>(c.height),
                     x0 = number(engine) * static_cast<double>(c.width),
                     size = 1 + number(engine) * static_cast<double>(std::min(c.height, c.width));
        for (std::int64_t y = 0; y < c.height; ++y)
          for (std::int64_t x = 0; x < c.width; ++x) {
            const double far = std::hypot(static_cast<double>(y) - y0, static_cast<double>(x) - x0);
            set(*masks, b, y, x, q, static_cast<float>(std::max(-8.0, 8 - 10 * far / size) + number(engine) - 0.5));
          }
        // Of some queries one class is all but sure.
        if (q % 2 == 0)
          set(*classes, b, q, 0, static_cast<std::int64_t>(number(engine) * static_cast<double>(c.classes)), 12.0f);
      }
  }
  FastInstLogits of(std::int64_t image) const { return {*classes, *masks, image}; }
};

/// How far a logit at the image's own size may be off: coordinates of both resizes are computed in fp32, where one of
/// the map's n positions is off by 3 units of n in each; between neighbours a map rises by twice its largest number at
/// most; weights and sums round some ten times.
inline double logit_error(const Case& c, double largest) {
  return kUnitFp32 * largest * (2 * 6 * static_cast<double>(c.width + c.height) + 16);
}
/// Logistic functions, whose slope is a quarter at most, are off by `logistic`.
inline double probability_error(const Case& c, double largest, double logistic) {
  return logit_error(c, largest) / 4 + logistic;
}

inline constexpr double kLargest = 9;

inline double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

inline bool bit(const MaskBits& mask, int x, int y) {
  return (mask.words[static_cast<std::size_t>(x * mask.words_per_column + y / 64)] >> (y % 64) & 1) != 0;
}

inline FastInstSettings settings_of(const Case& c) {
  FastInstSettings settings;
  settings.detections = static_cast<int>(2 * c.queries);
  settings.object_mask_threshold = 0.5f;
  settings.overlap_threshold = 0.3f;
  for (std::int64_t i = 0; i < c.classes; ++i) settings.things.push_back(i % 3 != 1);
  return settings;
}

/// How far a device's logistic function may be off, and its probabilities of classes.
struct Errors {
  double logistic, share;
};

inline void check_instances(const Case& c, const FastInstLogits& logits, const FastInstSettings& settings,
                            std::vector<DetectedInstance> got, const Errors& errors) {
  auto want = fast_inst_instances_ref(logits, c.geometry, settings);
  REQUIRE(got.size() == want.size());
  // Scores may be equal but for roundings.
  const auto by_pair = [](const DetectedInstance& a, const DetectedInstance& b) {
    return std::pair(a.query, a.class_id) < std::pair(b.query, b.class_id);
  };
  CHECK(std::is_sorted(got.begin(), got.end(), [](const auto& a, const auto& b) { return a.score > b.score; }));
  std::sort(got.begin(), got.end(), by_pair);
  std::sort(want.begin(), want.end(), by_pair);
  const double logit = logit_error(c, kLargest);
  for (std::size_t i = 0; i < got.size(); ++i) {
    INFO("query " << want[i].query << ", class " << want[i].class_id);
    CHECK(got[i].query == want[i].query);
    CHECK(got[i].class_id == want[i].class_id);
    const std::vector<double> exact = fast_inst_mask_ref(logits, got[i].query, c.geometry);
    std::int64_t undecided = 0, area = 0;
    Extents extents;
    for (int y = 0; y < c.geometry.original_height; ++y)
      for (int x = 0; x < c.geometry.original_width; ++x) {
        const double value = exact[static_cast<std::size_t>(y * c.geometry.original_width + x)];
        const bool set = bit(got[i].mask, x, y), near = std::abs(value) <= logit;
        undecided += near;
        if (!near && set != (value > 0)) FAIL("pixel " << x << ", " << y << " of " << value << " is " << set);
        if (!set) continue;
        ++area;
        extents.add(x, y);
      }
    CHECK(got[i].area == area);
    DetectedInstance box;
    extents.give(box);
    CHECK(std::vector{got[i].x, got[i].y, got[i].width, got[i].height} ==
          std::vector{box.x, box.y, box.width, box.height});
    // A mean of probabilities, of which those of undecided pixels, of a half, are in or not; fp32 rounds sums of a row.
    const double count = std::max(1.0, static_cast<double>(std::min(got[i].area, want[i].area)));
    const double bound = errors.share + probability_error(c, kLargest, errors.logistic) +
                         0.5 * static_cast<double>(undecided) / count +
                         kUnitFp32 * (4 + std::sqrt(static_cast<double>(c.geometry.original_width)));
    if (undecided == 0 || std::min(got[i].area, want[i].area) > 0)
      CHECK(std::abs(double{got[i].score} - double{want[i].score}) <= bound);
  }
}

inline void check_classes(const Case& c, const FastInstLogits& logits, const FastInstSettings& settings,
                          const std::vector<std::int32_t>& got, const Errors& errors) {
  const std::vector<float> scores = fast_inst_class_scores_ref(logits, c.geometry, settings);
  const std::size_t plane = got.size();
  REQUIRE(scores.size() == plane * static_cast<std::size_t>(c.classes));
  // Sums over queries of a share, rounded, times a probability.
  const auto queries = static_cast<double>(c.queries);
  for (std::size_t i = 0; i < plane; ++i) {
    double most = 0, sum = 0;
    for (std::size_t k = 0; k < static_cast<std::size_t>(c.classes); ++k) {
      most = std::max(most, double{scores[k * plane + i]});
      sum += double{scores[k * plane + i]};
    }
    const double bound = queries * (probability_error(c, kLargest, errors.logistic) + errors.share) +
                         most * kUnitFp32 * (4 + 2 * std::sqrt(queries));
    REQUIRE(got[i] >= 0);
    REQUIRE(got[i] < c.classes);
    if (double{scores[static_cast<std::size_t>(got[i]) * plane + i]} < most - 2 * bound)
      FAIL("pixel " << i << ": class " << got[i] << " has " << scores[static_cast<std::size_t>(got[i]) * plane + i]
                    << ", the best " << most << ", bound " << 2 * bound);
  }
}

inline void check_segments(const Case& c, const FastInstLogits& logits, const FastInstSettings& settings,
                           const FastInstSegments& got, const Errors& errors) {
  const FastInstSegments want = fast_inst_segments_ref(logits, c.geometry, settings);
  REQUIRE(got.segments.size() == want.segments.size());
  std::vector<std::vector<double>> shares;
  std::vector<std::vector<double>> masks;
  for (const SegmentCandidate& one : segment_candidates(logits, settings)) {
    masks.push_back(fast_inst_mask_ref(logits, one.segment.query, c.geometry));
    shares.emplace_back();
    for (const double value : masks.back()) shares.back().push_back(one.probability * sigmoid(value));
  }
  const double logit = logit_error(c, kLargest), probability = probability_error(c, kLargest, errors.logistic);
  REQUIRE(got.ids.size() == want.ids.size());
  std::vector<std::int64_t> areas(got.segments.size() + 1), apart(got.segments.size() + 1);
  std::vector<Extents> extents(got.segments.size() + 1);
  for (std::size_t i = 0; i < got.ids.size(); ++i) {
    const auto id = static_cast<std::size_t>(got.ids[i]);
    REQUIRE(id < areas.size());
    ++areas[id];
    const int width = c.geometry.original_width;
    extents[id].add(static_cast<int>(i) % width, static_cast<int>(i) / width);
    if (got.ids[i] == want.ids[i]) continue;
    // Undecided: two queries are as likely, or the one that is likeliest lies on its mask's edge.
    std::size_t best = 0;
    double second = -1;
    for (std::size_t k = 1; k < shares.size(); ++k) {
      if (shares[k][i] > shares[best][i]) {
        second = shares[best][i], best = k;
      } else {
        second = std::max(second, shares[k][i]);
      }
    }
    const bool tied = shares[best][i] - second <= 2 * (probability + errors.share),
               edge = std::abs(masks[best][i]) <= logit;
    if (!tied && !edge) FAIL("pixel " << i << ": got " << got.ids[i] << ", want " << want.ids[i]);
  }
  for (std::size_t s = 0; s < got.segments.size(); ++s) {
    INFO("segment " << s + 1);
    const auto &a = got.segments[s], &b = want.segments[s];
    CHECK(a.query == b.query);
    CHECK(a.class_id == b.class_id);
    CHECK(std::abs(double{a.probability} - double{b.probability}) <= errors.share);
    CHECK(a.is_thing == b.is_thing);
    CHECK(a.area == areas[s + 1]);
    FastInstSegments::Segment box;
    extents[s + 1].give(box);
    CHECK(std::vector{a.x, a.y, a.width, a.height} == std::vector{box.x, box.y, box.width, box.height});
  }
}

}  // namespace maskrt::testing::fast_inst
