// Outlines of a mask, traced along pixel edges.
#include <bit>

#include "mask.h"

namespace maskrt {
namespace {

/// Follows edges with the mask on the right-hand side, so that outer outlines run clockwise (y points down).
class Tracer {
 public:
  explicit Tracer(const kernels::MaskBits& bits) : bits_(bits), open_(bits.words.size()) {
    // Every outline runs east somewhere, along the top of a pixel with none above it: those edges are the places to
    // start from.
    for (int x = 0; x < bits.width; ++x) {
      std::uint64_t carry = 0;
      for (int k = 0; k < bits.words_per_column; ++k) {
        const std::size_t i = static_cast<std::size_t>(x) * bits.words_per_column + k;
        open_[i] = bits.words[i] & ~(bits.words[i] << 1 | carry);
        carry = bits.words[i] >> 63;
      }
    }
  }

  std::vector<std::vector<Point>> trace() {
    std::vector<std::vector<Point>> rings;
    for (int x = 0; x < bits_.width; ++x) {
      for (int k = 0; k < bits_.words_per_column; ++k) {
        while (const std::uint64_t edges = open_[static_cast<std::size_t>(x) * bits_.words_per_column + k]) {
          rings.push_back(ring_from(x, 64 * k + std::countr_zero(edges)));
        }
      }
    }
    return rings;
  }

 private:
  bool inside(int x, int y) const {
    if (x < 0 || y < 0 || x >= bits_.width || y >= bits_.height) return false;
    return (bits_.words[static_cast<std::size_t>(x) * bits_.words_per_column + y / 64] >> (y % 64) & 1) != 0;
  }

  /// The ring that runs east from corner (x, y).
  std::vector<Point> ring_from(int x, int y) {
    enum { east, south, west, north };
    static constexpr int step_x[] = {1, 0, -1, 0}, step_y[] = {0, 1, 0, -1};
    // From a corner, the pixel ahead on the right, and ahead on the left, by heading.
    static constexpr int right_x[] = {0, -1, -1, 0}, right_y[] = {0, 0, -1, -1};
    static constexpr int left_x[] = {0, 0, -1, -1}, left_y[] = {-1, 0, 0, -1};

    std::vector<Point> ring;
    const int start_x = x, start_y = y;
    int heading = east;
    do {
      if (heading == east) {
        open_[static_cast<std::size_t>(x) * bits_.words_per_column + y / 64] &= ~(std::uint64_t{1} << (y % 64));
      }
      x += step_x[heading];
      y += step_y[heading];
      int turned = heading;
      if (!inside(x + right_x[heading], y + right_y[heading])) {
        turned = (heading + 1) % 4;  // also where two pixels touch at this corner only: keeps their outlines separate
      } else if (inside(x + left_x[heading], y + left_y[heading])) {
        turned = (heading + 3) % 4;
      }
      if (turned != heading) ring.push_back({static_cast<float>(x), static_cast<float>(y)});
      heading = turned;
    } while (x != start_x || y != start_y || heading != east);
    return ring;
  }

  const kernels::MaskBits& bits_;
  std::vector<std::uint64_t> open_;  // east-going edges not yet traced, at the pixel below them
};

}  // namespace

std::vector<std::vector<Point>> outlines(const kernels::MaskBits& bits) { return Tracer(bits).trace(); }

}  // namespace maskrt
