// Walking over the runs of a mask, shared by the files that implement rle.h.
#pragma once

#include <algorithm>

#include "rle.h"

namespace maskrt::rle {

/// height * width; throws Error for a size that is not valid.
std::int64_t checked_pixels(int height, int width);

/// Calls piece(x, begin, end) for the rows begin .. end - 1 that each run of ones covers in column x. Counts beyond
/// height * width are ignored, so that a Runs filled by hand cannot reach outside.
template <typename Piece>
void for_each_piece(const Runs& runs, Piece&& piece) {
  const std::int64_t height = runs.height, total = height * runs.width;
  std::int64_t position = 0;
  for (std::size_t i = 0; i < runs.counts.size(); ++i) {
    const std::int64_t end = std::min(total, position + runs.counts[i]);
    while (i % 2 != 0 && position < end) {
      const std::int64_t x = position / height, stop = std::min(end, (x + 1) * height);
      piece(static_cast<int>(x), static_cast<int>(position - x * height), static_cast<int>(stop - x * height));
      position = stop;
    }
    position = end;
  }
}

/// Where a walk over one mask's runs stands.
class RunCursor {
 public:
  explicit RunCursor(const Runs& runs) : counts_(runs.counts) { skip_empty(); }

  bool at_end() const { return next_ == counts_.size(); }
  bool inside() const { return next_ % 2 != 0; }
  std::uint32_t left() const { return counts_[next_] - taken_; }
  void advance(std::uint32_t pixels) {
    taken_ += pixels;
    skip_empty();
  }

 private:
  void skip_empty() {
    while (!at_end() && left() == 0) {
      ++next_;
      taken_ = 0;
    }
  }

  std::span<const std::uint32_t> counts_;
  std::size_t next_ = 0;
  std::uint32_t taken_ = 0;
};

/// Calls piece(length, inside a, inside b) for the longest pieces in which neither mask changes.
template <typename Piece>
void walk_together(const Runs& a, const Runs& b, Piece&& piece) {
  RunCursor in_a(a), in_b(b);
  while (!in_a.at_end() && !in_b.at_end()) {
    const std::uint32_t length = std::min(in_a.left(), in_b.left());
    piece(length, in_a.inside(), in_b.inside());
    in_a.advance(length);
    in_b.advance(length);
  }
}

}  // namespace maskrt::rle
