// Rows of a map that is resized bilinearly twice, with a crop between, on the CPU.
#pragma once

#include <cstddef>
#include <vector>

#include "composed_taps.h"

namespace maskrt::kernels {

/// Makes one row of the resized map at a time: down first, which blends a few rows of the map, then across. Immutable;
/// any number of threads may use it.
class MapRows {
 public:
  /// A map of `width` x `height`, resized by these taps. Each array of theirs is as long as the result is wide or high.
  MapRows(int width, int height, ComposedTaps across, ComposedTaps down);

  int in_width() const { return in_width_; }
  int in_height() const { return in_height_; }
  int width() const { return static_cast<int>(lowest_.size()); }
  int height() const { return static_cast<int>(down_.index[0].size()); }

  /// out[i], i < in_width(): row y of the result, not yet resized across. `map` begins at row `first_row` of the map,
  /// rows lie `stride` numbers apart. Where the numbers that one blends are all 0 or below, so is it.
  void blend(const float* map, std::ptrdiff_t stride, int y, float* out, int first_row = 0) const;
  /// out[x] for first <= x < last of a row that blend() made.
  void expand(const float* blended, int first, int last, float* out) const;

  /// The map's rows that blend() reads for row y: `count` from `first` on.
  struct Span {
    int first = 0, count = 0;
  };
  Span rows_of(int y) const;

  /// The columns of the result, from `first` to before `last`, that read any of the map's columns first .. last - 1.
  struct Columns {
    int first = 0, last = 0;
  };
  Columns reached_by(Columns columns) const;

 private:
  int in_width_, in_height_;
  ComposedTaps across_, down_;
  std::vector<std::int32_t> lowest_, highest_;  ///< the map's columns that each of the result's reads, ascending
};

}  // namespace maskrt::kernels
