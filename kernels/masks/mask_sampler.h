// Masks at the original size as packed bits, computed from probability maps without materialising the maps between.
#pragma once

#include <vector>

#include "composed_taps.h"
#include "instance.h"

namespace maskrt::kernels {

/// Samples the masks of many instances of one geometry. The two bilinear resizes with the crop between compose to one
/// separable operator of at most 4 taps an axis; the vertical half is applied to columns of the map, the horizontal
/// half together with the threshold, 64 rows at a time. Every probability is a convex combination, so 64 rows of a
/// column whose map values are all on one side of the threshold are not computed.
class MaskSampler {
 public:
  MaskSampler(int map_width, int map_height, const Geometry& geometry, float threshold);

  /// 64 rows of one column, aligned for the widest loads.
  struct alignas(64) ColumnRows {
    float values[64];
  };
  /// Row pitch of a map in elements: whole vectors.
  static std::size_t map_stride(std::int64_t width) { return (static_cast<std::size_t>(width) + 15) / 16 * 16; }

  /// Scratch memory of one thread, allocated before the threads start.
  struct Scratch {
    std::vector<ColumnRows> blended;     // for each map column, 64 rows of the original's
    std::vector<std::uint8_t> computed;  // for each 16 map columns, whether `blended` holds these rows
    std::vector<std::uint8_t> sides;     // for each map column, on which side of the threshold these rows lie
  };
  Scratch make_scratch() const;

  /// Fills mask, area and box from `map`: probabilities, rows map_stride apart, any finite numbers between. Throws
  /// std::bad_alloc.
  void sample(const float* map, Scratch& scratch, DetectedInstance& instance) const;

 private:
  /// Output columns that blend the same map columns.
  struct Run {
    int first = 0, count = 0, taps = 0;
    std::int32_t columns[ComposedTaps::kMost] = {};
  };
  enum Side : std::uint8_t { mixed = 0, below = 1, above = 2 };

  void find_sides(const float* map, int word, Scratch& scratch) const;
  const float* blended_rows(const float* map, int column, int word, Scratch& scratch) const;

  int map_width_, map_height_, width_, height_, words_per_column_;
  float threshold_;
  ComposedTaps across_, down_;
  std::vector<Run> runs_;
  std::vector<std::int32_t> first_row_, last_row_;  // map rows that each word of 64 rows reads
};

}  // namespace maskrt::kernels
