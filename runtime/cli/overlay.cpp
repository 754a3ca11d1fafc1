#include "overlay.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <numeric>

#include "distance.h"
#include "font.h"
#include "palette.h"

namespace maskrt::cli {
namespace {

constexpr float fill_alpha = 0.45f, outline_alpha = 0.95f, label_alpha = 0.9f;

/// Sizes in pixels that follow from the picture's.
struct Scale {
  explicit Scale(const Canvas& canvas) {
    const auto side = static_cast<float>(std::min(canvas.width(), canvas.height()));
    line = std::max(1.5f, 0.0028f * side);
    font = std::clamp(0.026f * side, 11.0f, 48.0f);
  }
  float line, font;
};

constexpr float smallest_font = 7;

void draw_mask(Canvas& canvas, const Drawing& drawing, float line) {
  // A margin for the outline's outer half; none beyond the picture, so that a mask cut off by the picture's border gets
  // no line along it.
  const int margin = static_cast<int>(std::ceil(line)) + 2;
  const int left = std::max(0, drawing.box.x - margin), top = std::max(0, drawing.box.y - margin);
  const int right = std::min(canvas.width(), drawing.box.x + drawing.box.width + margin);
  const int bottom = std::min(canvas.height(), drawing.box.y + drawing.box.height + margin);
  const int width = right - left, height = bottom - top;
  if (width <= 0 || height <= 0) return;

  std::vector<std::uint8_t> bitmap(static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
  for (int y = 0; y < drawing.box.height; ++y)
    std::copy_n(drawing.bitmap.begin() + std::ptrdiff_t{y} * drawing.box.width, drawing.box.width,
                bitmap.begin() + std::ptrdiff_t{drawing.box.y - top + y} * width + (drawing.box.x - left));
  std::vector<float> distance = signed_distance(bitmap, width, height);
  smooth(distance, width, height, 2);

  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const float d =
          distance[static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x)];
      canvas.blend(left + x, top + y, drawing.color, fill_alpha * std::clamp(d + 0.5f, 0.0f, 1.0f));
      const float outline = std::clamp(0.5f * line + 0.5f - std::fabs(d), 0.0f, 1.0f);
      canvas.blend(left + x, top + y, drawing.color, outline_alpha * outline);
    }
  }
}

/// A label's font and the space it takes; no width where it could not be read.
struct Label {
  float font = 0, padding = 0;
  TextSize text;
  Box size;
};

Label lay_out(const Canvas& canvas, const std::string& text, float font) {
  Label label;
  label.font = font;
  for (int attempt = 0; attempt < 2; ++attempt) {
    label.padding = std::max(2.0f, 0.22f * label.font);
    label.text = measure_text(text, label.font);
    label.size.width = static_cast<int>(std::ceil(label.text.width + 2 * label.padding));
    label.size.height = static_cast<int>(std::ceil(label.text.height() + label.padding));
    const float fit = std::min(static_cast<float>(canvas.width()) / static_cast<float>(label.size.width),
                               static_cast<float>(canvas.height()) / static_cast<float>(label.size.height));
    if (fit >= 1) return label;
    label.font = std::floor(label.font * fit);
    if (label.font < smallest_font) break;
  }
  label.size = Box();
  return label;
}

void draw_label(Canvas& canvas, const Label& label, const Box& place, const std::string& text, Color color) {
  const float radius = 0.2f * label.font;
  canvas.fill_rounded_box(place, radius, color, label_alpha);
  const float baseline =
      static_cast<float>(place.y) + 0.5f * (static_cast<float>(place.height) - label.text.height()) + label.text.ascent;
  draw_text(canvas, text, label.font, static_cast<float>(place.x) + label.padding, baseline, text_color_on(color));
}

std::int64_t overlap(const Box& a, const Box& b) {
  const int width = std::min(a.x + a.width, b.x + b.width) - std::max(a.x, b.x);
  const int height = std::min(a.y + a.height, b.y + b.height) - std::max(a.y, b.y);
  return width > 0 && height > 0 ? std::int64_t{width} * height : 0;
}

}  // namespace

std::vector<Drawing> drawings_of(std::span<const Instance> instances, const std::vector<Category>& categories,
                                 float minimum_score) {
  std::vector<std::pair<std::int64_t, const Instance*>> chosen;
  for (const Instance& instance : instances)
    if (instance.score >= minimum_score && instance.box.width > 0) chosen.emplace_back(instance.mask.area(), &instance);
  std::stable_sort(chosen.begin(), chosen.end(), [](const auto& a, const auto& b) { return a.first > b.first; });

  std::vector<Drawing> drawings;
  for (const auto& [area, instance] : chosen) {
    Drawing drawing;
    drawing.box = instance->box;
    drawing.bitmap.reserve(static_cast<std::size_t>(drawing.box.width) * static_cast<std::size_t>(drawing.box.height));
    for (int y = 0; y < drawing.box.height; ++y)
      for (int x = 0; x < drawing.box.width; ++x)
        drawing.bitmap.push_back(instance->mask.at(drawing.box.x + x, drawing.box.y + y) ? 1 : 0);
    char score[16];
    std::snprintf(score, sizeof score, " %.2f", instance->score);
    drawing.text = instance->label + score;
    const auto index = static_cast<std::size_t>(instance->class_id);
    drawing.color = class_color(index < categories.size() ? categories[index] : Category(), instance->class_id);
    drawings.push_back(std::move(drawing));
  }
  return drawings;
}

std::vector<Box> place_labels(std::span<const Box> boxes, std::span<const Box> sizes, int width, int height) {
  std::vector<Box> placed;
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    const Box& box = boxes[i];
    const Box& size = sizes[i];
    Box best = size;
    if (size.width > 0) {
      const int middle = box.x + (box.width - size.width) / 2, end = box.x + box.width - size.width;
      const int above = box.y - size.height, below = box.y + box.height;
      const int centre = box.y + (box.height - size.height) / 2;
      // From the most to the least natural; the first with the least overlap is taken.
      const Point candidates[] = {{float(box.x), float(above)},   {float(middle), float(above)},
                                  {float(end), float(above)},     {float(box.x), float(box.y)},
                                  {float(middle), float(centre)}, {float(box.x), float(below)},
                                  {float(middle), float(below)},  {float(end), float(below)}};
      std::int64_t least = std::numeric_limits<std::int64_t>::max();
      for (const Point& point : candidates) {
        Box candidate = size;
        candidate.x = std::max(0, std::min(static_cast<int>(point.x), width - size.width));
        candidate.y = std::max(0, std::min(static_cast<int>(point.y), height - size.height));
        std::int64_t covered = 0;
        for (const Box& other : placed) covered += overlap(candidate, other);
        if (covered < least) {
          least = covered;
          best = candidate;
        }
      }
    }
    placed.push_back(best);
  }
  return placed;
}

void draw_overlay(Canvas& canvas, std::span<const Drawing> drawings) {
  const Scale scale(canvas);
  for (const Drawing& drawing : drawings) draw_mask(canvas, drawing, scale.line);

  std::vector<Label> labels;
  std::vector<Box> boxes, sizes;
  for (const Drawing& drawing : drawings) {
    labels.push_back(lay_out(canvas, drawing.text, scale.font));
    boxes.push_back(drawing.box);
    sizes.push_back(labels.back().size);
  }
  const std::vector<Box> places = place_labels(boxes, sizes, canvas.width(), canvas.height());
  for (std::size_t i = 0; i < drawings.size(); ++i)
    if (places[i].width > 0) draw_label(canvas, labels[i], places[i], drawings[i].text, drawings[i].color);
}

}  // namespace maskrt::cli
