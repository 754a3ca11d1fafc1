// The result of every instance-segmentation head: scored instances with binary masks at the image's own size.
#pragma once

#include <cstdint>
#include <vector>

namespace maskrt::kernels {

/// A binary mask, packed column by column (COCO's order): pixel (x, y) is bit y % 64 of
/// words[x * words_per_column + y / 64]; the bits below the last row of a column are 0.
struct MaskBits {
  int width = 0, height = 0;
  int words_per_column = 0;
  std::vector<std::uint64_t> words;
};

/// The sizes of one image on its way into the network.
struct Geometry {
  int original_width = 0, original_height = 0;  ///< size of the image
  int resized_width = 0, resized_height = 0;    ///< size after the shortest-edge resize
  int padded_width = 0, padded_height = 0;      ///< size of the network's input
};

struct DetectedInstance {
  int query = 0;     ///< index among the network's N queries
  int class_id = 0;  ///< 0-based; of equal classes the first
  float score = 0;   ///< final score, as the head defines it
  std::int64_t area = 0;
  int x = 0, y = 0, width = 0, height = 0;  ///< exclusive extents of the mask; all 0 where it is empty
  MaskBits mask;
  std::vector<std::uint32_t> runs;  ///< COCO run lengths, where they were requested instead of the mask's words
};

}  // namespace maskrt::kernels
