// Colours that tell the instances of one picture apart.
#pragma once

#include <span>
#include <vector>

#include "canvas.h"

namespace maskrt::cli {

/// Instances get one of this many hues, which lie evenly on Oklab's circle.
constexpr int kHues = 12;

/// A hue for each instance, given by its box: among those farthest from the hues of the neighbours before it (90
/// degrees are far enough), the one that is rarest so far. Neighbours are those whose boxes, each grown by an eighth to
/// all sides, overlap. So up to 5 instances that are all neighbours lie 60 degrees apart or more, and up to 12 all
/// differ. A function of the boxes and their order.
std::vector<int> instance_hues(std::span<const PixelBox> boxes);

/// The colours of those hues; instances of the same hue have lightnesses in turn.
std::vector<Color> instance_colors(std::span<const PixelBox> boxes);

}  // namespace maskrt::cli
