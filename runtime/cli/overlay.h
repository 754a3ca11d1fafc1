// Pictures of what was found: coloured masks with outlines, and labels that can be read.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "canvas.h"
#include "maskrt/maskrt.hpp"

namespace maskrt::cli {

/// One instance as it is drawn.
struct Drawing {
  PixelBox box;             ///< bounding box of the mask's set pixels, not empty
  Mask mask;                ///< mask, as large as the picture
  std::string name, score;  ///< text of its label; no label where both are empty
  Color color;
  bool centred = false;  ///< its label lies over the middle of its main part, as of areas, instead of on its edge
};

/// Whether each instance has a colour of its own (instance_colors.h), or each class (palette.h).
enum class Colouring : std::uint8_t { instance, by_class };

/// The instances of at least `minimum_score` whose masks are not empty, the largest first.
std::vector<Drawing> drawings_of(std::span<const Instance> instances, const std::vector<Category>& categories,
                                 float minimum_score, Colouring colouring);

/// Draws in the order given, labels above all masks. Lines and letters grow with the picture. A label that would not
/// fit into the picture is made smaller, and left out where it could not be read any more.
void draw_overlay(Canvas& canvas, std::span<const Drawing> drawings);

/// What a label is to be placed at.
struct LabelAnchor {
  PixelBox box;               ///< bounding box of the instance
  int x = 0, y = 0;           ///< where the middle of the label's lower edge would best be
  int width = 0, height = 0;  ///< size of the label; a label of width 0 is left out
};

/// Where labels go: each inside a picture of `width` x `height` (which is not smaller than any of them), at its
/// instance, away from the labels before it where there is room.
std::vector<PixelBox> place_labels(std::span<const LabelAnchor> anchors, int width, int height);

}  // namespace maskrt::cli
