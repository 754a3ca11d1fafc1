#include "input_size.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

namespace maskrt {
namespace {

/// Longest side that a resize gives or may ask for.
constexpr int kLongestSide = 1 << 16;

int checked_side(const std::optional<int>& asked, int otherwise, const char* name) {
  const int side = asked.value_or(otherwise);
  if (asked && (side < 0 || side > kLongestSide))
    throw Error("ResizeOptions::" + std::string(name) + ": expected 0 to " + std::to_string(kLongestSide) + ", found " +
                std::to_string(side));
  return side;
}

}  // namespace

ImageSize resized_size(ImageSize image, int min_size, int max_size) {
  if (min_size == 0) return image;
  // In double and in this order, as the training pipeline computes it: another order rounds differently.
  const double size = min_size;
  const double scale = size / std::min(image.height, image.width);
  double height = image.height < image.width ? size : scale * image.height;
  double width = image.height < image.width ? scale * image.width : size;
  if (const double longest = std::max(height, width); max_size > 0 && longest > max_size) {
    const double shrink = max_size * 1.0 / longest;
    height *= shrink;
    width *= shrink;
  } else if (longest > kLongestSide) {
    throw Error("resize: expected a longest side of at most " + std::to_string(kLongestSide) + " pixels, found " +
                std::to_string(static_cast<std::int64_t>(longest)) + " for an image of " + std::to_string(image.width) +
                "x" + std::to_string(image.height) + " whose shortest edge becomes " + std::to_string(min_size) +
                " without a bound on the longest");
  }
  // A 1x5000 image would come out with no rows at all.
  return {std::max(1, static_cast<int>(width + 0.5)), std::max(1, static_cast<int>(height + 0.5))};
}

int padded_size(int size, int divisibility) {
  if (divisibility <= 1) return size;
  return (size + divisibility - 1) / divisibility * divisibility;
}

InputSettings input_settings(const graph::Preprocessing& settings) {
  return {settings.min_size, settings.max_size, settings.size_divisibility};
}

InputSettings with_resize(InputSettings settings, const ResizeOptions& resize) {
  settings.min_size = checked_side(resize.min_size, settings.min_size, "min_size");
  settings.max_size = checked_side(resize.max_size, settings.max_size, "max_size");
  return settings;
}

}  // namespace maskrt
