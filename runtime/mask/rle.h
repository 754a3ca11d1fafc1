// COCO's run-length masks: the forms they come in, and the set arithmetic that evaluation needs.
//
// Every function gives what pycocotools gives for the same input, down to its rounding; input that pycocotools would
// read out of bounds is refused. All are pure functions, safe to call from several threads.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "maskrt/types.hpp"

namespace maskrt::rle {

/// A mask as the lengths of its runs in column-major order: zeros first (possibly 0 of them), then ones, alternating.
/// The counts sum to height * width. A valid size has sides of at most 2^20 and fewer than 2^32 pixels.
struct Runs {
  int height = 0, width = 0;
  std::vector<std::uint32_t> counts;

  bool operator==(const Runs&) const = default;
};

/// x, y, width, height with exclusive extents.
using BoxXywh = std::array<double, 4>;

/// One number a pair: at(d, g) for detection d and ground truth g.
struct PairMatrix {
  std::size_t detections = 0, truths = 0;
  std::vector<double> values;

  double at(std::size_t d, std::size_t g) const { return values[d * truths + g]; }
};

// ---- forms ----

/// Runs given as numbers (COCO's uncompressed RLE); runs of length 0 after the first are joined away. Throws Error
/// unless the size is valid and they sum to height * width.
Runs from_counts(int height, int width, std::span<const std::uint32_t> counts);

/// COCO's compressed string: each count (from the fourth on, its difference to the one two before) in signed groups of
/// five bits, low group first, bit 32 meaning "more", offset by '0'. Joins and throws as from_counts does, and throws
/// Error where the string has other characters, ends inside a number, or counts below 0.
Runs from_string(int height, int width, std::string_view text);
std::string to_string(const Runs& runs);

/// Packed columns: pixel (x, y) is bit y % 64 of words[x * words_per_column + y / 64], bits below the last row 0.
Runs from_bits(int height, int width, std::span<const std::uint64_t> words, int words_per_column);
/// The compressed string of packed columns, without the counts in between.
std::string string_from_bits(int height, int width, std::span<const std::uint64_t> words, int words_per_column);
/// words_per_column is (height + 63) / 64.
std::vector<std::uint64_t> to_bits(const Runs& runs);

/// Row-major, 0 or 1, height * width bytes.
std::vector<std::uint8_t> to_bitmap(const Runs& runs);
/// Row-major; any byte but 0 is inside.
Runs from_bitmap(int height, int width, std::span<const std::uint8_t> bitmap);

/// One closed polygon, x0, y0, x1, y1, ... in pixels, as COCO rasterises it: its outline drawn at five times the
/// resolution, the crossings sampled at pixel centres, even-odd. Throws Error for an odd number of values, coordinates
/// that are not finite or beyond 2^20 pixels, or a size that is not valid.
Runs from_polygon(int height, int width, std::span<const double> xy);
/// How many pixel columns the edges of an outline cross inside the picture, or a few more: from_polygon takes time and
/// memory in proportion to this and to the number of edges, and its mask may have as many runs.
std::int64_t crossed_columns(int width, std::span<const double> xy);
/// The union of polygons, as an annotation's `segmentation` lists them. None: an empty mask.
Runs from_polygons(int height, int width, std::span<const std::vector<double>> polygons);

// ---- measures ----

/// Pixels inside.
std::int64_t area(const Runs& runs);
/// The same of a compressed string, which is checked as from_string() does, without its runs.
std::int64_t area(int height, int width, std::string_view text);
/// The tight box; all 0 for an empty mask.
BoxXywh bounding_box(const Runs& runs);

enum class Merge : std::uint8_t { unite, intersect };
/// The union or intersection of masks of one size. None: an empty mask of size 0. Throws Error where sizes differ.
Runs merge(std::span<const Runs> masks, Merge how);

/// Intersection over union for every pair; over the detection's area alone where the truth is a crowd. -1 where the
/// boxes intersect but the sizes differ. `is_crowd` has one entry a truth, or is empty: none is.
PairMatrix iou(std::span<const Runs> detections, std::span<const Runs> truths, std::span<const std::uint8_t> is_crowd);
/// The same for boxes.
PairMatrix iou(std::span<const BoxXywh> detections, std::span<const BoxXywh> truths,
               std::span<const std::uint8_t> is_crowd);

}  // namespace maskrt::rle
