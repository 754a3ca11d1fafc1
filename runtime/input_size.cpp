#include "input_size.h"

#include <algorithm>

namespace maskrt {

ImageSize resized_size(ImageSize image, int min_size, int max_size) {
  if (min_size == 0) return image;
  // In double and in this order, as the training pipeline computes it: another order rounds differently.
  const double size = min_size;
  const double scale = size / std::min(image.height, image.width);
  double height = image.height < image.width ? size : scale * image.height;
  double width = image.height < image.width ? scale * image.width : size;
  if (const double longest = std::max(height, width); longest > max_size) {
    const double shrink = max_size * 1.0 / longest;
    height *= shrink;
    width *= shrink;
  }
  // A 1x5000 image would come out with no rows at all.
  return {std::max(1, static_cast<int>(width + 0.5)), std::max(1, static_cast<int>(height + 0.5))};
}

int padded_size(int size, int divisibility) {
  if (divisibility <= 1) return size;
  return (size + divisibility - 1) / divisibility * divisibility;
}

}  // namespace maskrt
