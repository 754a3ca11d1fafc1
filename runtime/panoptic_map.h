// Segments as a head finds them, to what callers get: for every device.
#pragma once

#include <utility>
#include <vector>

#include "device.h"
#include "kernels/heads/fast_inst/fast_inst.h"

namespace maskrt {

/// A picture's segments; classes are not named yet. `ids`: of its pixels, row by row.
inline PanopticMap panoptic_map(const kernels::Geometry& picture, std::vector<std::int32_t> ids,
                                const std::vector<kernels::FastInstSegments::Segment>& segments) {
  PanopticMap map{picture.original_width, picture.original_height, std::move(ids), {}};
  for (const auto& found : segments) {
    PanopticSegment segment;
    segment.id = static_cast<std::int32_t>(map.segments.size()) + 1;
    segment.score = found.is_thing ? found.probability : 0;
    segment.class_id = found.class_id;
    segment.is_thing = found.is_thing;
    segment.area = found.area;
    segment.box = {static_cast<float>(found.x), static_cast<float>(found.y), static_cast<float>(found.width),
                   static_cast<float>(found.height), BoxOf::mask};
    map.segments.push_back(std::move(segment));
  }
  return map;
}

}  // namespace maskrt
