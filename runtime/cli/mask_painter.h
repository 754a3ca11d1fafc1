// Masks as they are drawn: tinted inside, with an outline along the edge.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "canvas.h"

namespace maskrt::cli {

/// Paints masks with outlines of one width. A pixel's colour follows from its signed distance to the mask's edge, which
/// is exact (Felzenszwalb and Huttenlocher, "Distance Transforms of Sampled Functions", 2012, but for few pixels around
/// the edge alone), in pixels, positive inside, and smoothed by weights 1 4 6 4 1 along rows and columns, which round
/// the edge's stairs. With d for it, paint is mixed in three times:
///   0.45 of the colour where d > 0 (the tint),
///   0.35 of black where |d| < line / 2 + 1 (a rim that sets the line off from grounds of its own colour),
///   0.95 of the colour where |d| < line / 2,
/// each over a ramp of one pixel. What lies beyond the picture makes no edge: a mask that the picture's border cuts off
/// has no line along it.
///
/// The picture is worked on in tiles of some 32 x 46 pixels; those without an edge in reach are filled or left alone.
/// Belongs to one thread at a time.
class MaskPainter {
 public:
  /// `line`: the outline's width in pixels, at most `kWidestLine`.
  explicit MaskPainter(float line);

  /// `box` is the mask's, and the mask of the canvas's size.
  void paint(Canvas& canvas, const Mask& mask, const PixelBox& box, Color color);

  static constexpr float kWidestLine = 24;

 private:
  static constexpr int kLanes = 64;  // rows of a tile with those around it: the bits of a word
  static constexpr int kTileColumns = 32;
  static constexpr int kTaps = 2;  // smoothing taps to either side
  static constexpr int kMostReach = 17;
  static constexpr int kDistanceSteps = 64;  // distances are counted in 1/64 of a pixel
  using Column = std::array<std::int16_t, kLanes>;

  /// The blend of a channel: (keep * old + color * paint + 128) / 256.
  struct Mix {
    std::uint16_t keep = 256, paint = 0;
  };

  void read_band(const Mask& mask, int left, int right, int top);
  void measure(int columns);
  void fill(Canvas& canvas, const PixelBox& tile, Color color) const;
  void blend(Canvas& canvas, const PixelBox& tile, Color color) const;

  int reach_;                        ///< distances of this many pixels and more are alike
  int halo_;                         ///< pixels around a tile that it depends on
  std::vector<std::uint64_t> band_;  ///< for each column from the first tile's halo on: its bits of the tiles' rows
  const std::uint64_t* words_ = nullptr;  ///< words of the tile, starting with its halo
  std::vector<std::int16_t> root_;        ///< signed distance by signed squared distance + reach_ * reach_
  std::vector<Mix> mix_;                  ///< by signed distance + reach_ * kDistanceSteps
  std::array<Column, kTileColumns + 2 * (kMostReach + kTaps)> across_;  ///< distance to the edge within the row
  std::array<Column, kTileColumns + 2 * kTaps> field_;
  std::array<Column, kTileColumns> smooth_;
};

}  // namespace maskrt::cli
