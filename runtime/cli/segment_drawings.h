// Results of semantic and panoptic segmentation as they are drawn.
#pragma once

#include <vector>

#include "overlay.h"
#include "runtime/label_maps/classes.h"
#include "runtime/label_maps/panoptic.h"

namespace maskrt::cli {

/// As many of a picture's segments are drawn, the largest.
inline constexpr std::size_t kMostDrawnSegments = 1000;

/// Each class that the map has, in its colour, with its name over the middle of its main part; the largest first.
/// Pixels of no class are left as they are.
std::vector<Drawing> drawings_of(const label_maps::LabelMap& map, const label_maps::LabelNumbers& numbers,
                                 const label_maps::LabelClasses& table);

/// Stuff in the colours of its categories, with the names over the middles, and things above it as instances: colours
/// that tell them apart, labels on their edges, with scores where they have some. The largest first of each. Throws
/// Error for a map that does not have the segments' ids.
std::vector<Drawing> drawings_of(const label_maps::SegmentMap& map,
                                 const std::vector<label_maps::SegmentInfo>& segments,
                                 const std::vector<label_maps::PanopticCategory>& categories);

/// A network's results, in the same way.
std::vector<Drawing> drawings_of(const SemanticMap& result, const std::vector<Category>& categories);
std::vector<Drawing> drawings_of(const PanopticMap& result, const std::vector<Category>& categories);

}  // namespace maskrt::cli
