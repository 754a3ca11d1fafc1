// Masks, instances and colours for tests of what is drawn.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "runtime/cli/overlay.h"
#include "runtime/mask/mask.h"

namespace maskrt::testing {

using cli::Canvas;
using cli::Color;
using cli::Drawing;
using cli::PixelBox;

/// The largest difference of a channel.
inline int difference(Color a, Color b) {
  return std::max({std::abs(a.r - b.r), std::abs(a.g - b.g), std::abs(a.b - b.b)});
}

/// The mask of a picture's pixels for which `inside(x, y)` is true.
template <typename Inside>
Mask mask_where(int width, int height, const Inside& inside) {
  kernels::MaskBits bits;
  bits.width = width;
  bits.height = height;
  bits.words_per_column = (height + 63) / 64;
  bits.words.assign(static_cast<std::size_t>(width * bits.words_per_column), 0);
  std::int64_t area = 0;
  for (int x = 0; x < width; ++x)
    for (int y = 0; y < height; ++y)
      if (inside(x, y)) {
        bits.words[static_cast<std::size_t>(x * bits.words_per_column + y / 64)] |= std::uint64_t{1} << (y % 64);
        ++area;
      }
  return Mask(std::make_shared<Mask::Data>(bits, area));
}

inline bool is_inside(const PixelBox& box, int x, int y) {
  return x >= box.x && x < box.x + box.width && y >= box.y && y < box.y + box.height;
}

/// The mask of a box in a picture of width x height.
inline Mask mask_of(const PixelBox& box, int width, int height) {
  return mask_where(width, height, [&](int x, int y) { return is_inside(box, x, y); });
}

/// A filled rectangle as an instance.
inline Drawing rectangle(const Canvas& canvas, const PixelBox& box, const std::string& text, Color color) {
  return {box, mask_of(box, canvas.width(), canvas.height()), text, "", color};
}

/// An instance whose mask fills a box, in a picture of 64 x 70. Its own box is the mask's or, larger by a third of a
/// pixel on each side, the network's.
inline Instance instance(float score, int class_id, const std::string& label, const PixelBox& box,
                         BoxOf of = BoxOf::mask) {
  Instance made;
  made.score = score;
  made.class_id = class_id;
  made.label = label;
  const float beyond = of == BoxOf::mask ? 0.0f : 1.0f / 3;
  made.box = {static_cast<float>(box.x) - beyond, static_cast<float>(box.y) - beyond,
              static_cast<float>(box.width) + 2 * beyond, static_cast<float>(box.height) + 2 * beyond, of};
  made.mask = mask_of(box, 64, 70);
  return made;
}

inline constexpr Color kGrey = {100, 100, 100}, kRed = {255, 0, 0}, kBlue = {0, 0, 255};

}  // namespace maskrt::testing
