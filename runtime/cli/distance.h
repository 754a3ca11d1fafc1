// Distance to the edge of a mask.
#pragma once

#include <cstdint>
#include <vector>

namespace maskrt::cli {

/// For each pixel of a row-major bitmap, how far its centre lies from the edge between zero and non-zero pixels, in
/// pixels: positive inside, negative outside, +-1e6 where there is no edge. What lies beyond the bitmap makes no edge.
/// Exact but for half a pixel that separates centres from edges. (Felzenszwalb and Huttenlocher, "Distance Transforms
/// of Sampled Functions", 2012.) Time is linear in the number of pixels.
std::vector<float> signed_distance(const std::vector<std::uint8_t>& bitmap, int width, int height);

}  // namespace maskrt::cli
