#include "overlay.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <limits>
#include <utility>

#include "instance_colors.h"
#include "label_point.h"
#include "mask_painter.h"
#include "palette.h"
#include "text_line.h"

namespace maskrt::cli {
namespace {

constexpr float kLabelAlpha = 0.9f;

/// Sizes in pixels that follow from the picture's.
struct Scale {
  explicit Scale(const Canvas& canvas) {
    const auto side = static_cast<float>(std::min(canvas.width(), canvas.height()));
    line = std::clamp(0.0028f * side, 1.5f, MaskPainter::kWidestLine);
    font = std::clamp(0.029f * side, 10.0f, 48.0f);
  }
  float line, font;
};

constexpr float kSmallestFont = 7;

/// A label's text and the space it takes; no width where it could not be read. The score is a line of its own to the
/// right of the name, whichever way that is written.
struct Label {
  float font = 0, padding = 0;
  TextLine name, score;
  int score_start = 0;  ///< pixels from the name's start
  int width = 0, height = 0;
};

Label lay_out(const Canvas& canvas, const Drawing& drawing, float font) {
  Label label;
  if (drawing.name.empty() && drawing.score.empty()) return label;
  label.font = font;
  for (int attempt = 0; attempt < 4; ++attempt) {
    label.padding = std::max(2.0f, 0.22f * label.font);
    label.name = text_line(drawing.name, label.font);
    label.score = text_line(drawing.score, label.font);
    const bool both = !drawing.name.empty() && !drawing.score.empty();
    const float gap = both ? text_line(" ", label.font).width : 0;
    label.score_start = static_cast<int>(std::lround(label.name.width + gap));
    label.width =
        static_cast<int>(std::ceil(static_cast<float>(label.score_start) + label.score.width + 2 * label.padding));
    label.height = static_cast<int>(std::ceil(label.name.height() + label.padding));
    const float fit = std::min(static_cast<float>(canvas.width()) / static_cast<float>(label.width),
                               static_cast<float>(canvas.height()) / static_cast<float>(label.height));
    if (fit >= 1) return label;
    label.font = std::floor(label.font * fit);
    if (label.font < kSmallestFont) break;
  }
  label.width = label.height = 0;
  return label;
}

void draw_label(Canvas& canvas, const Label& label, const PixelBox& place, Color color) {
  canvas.fill_rounded_box(place, 0.2f * label.font, color, kLabelAlpha);
  const float above = 0.5f * (static_cast<float>(place.height) - label.name.height());
  const int baseline = place.y + static_cast<int>(std::lround(above + label.name.ascent));
  const int start = place.x + static_cast<int>(std::lround(label.padding));
  draw_text(canvas, label.name, start, baseline, text_color_on(color));
  draw_text(canvas, label.score, start + label.score_start, baseline, text_color_on(color));
}

std::int64_t overlap(const PixelBox& a, const PixelBox& b) {
  const int width = std::min(a.x + a.width, b.x + b.width) - std::max(a.x, b.x);
  const int height = std::min(a.y + a.height, b.y + b.height) - std::max(a.y, b.y);
  return width > 0 && height > 0 ? std::int64_t{width} * height : 0;
}

/// The set pixels of an instance's mask, which has some: its box where that is the mask's.
PixelBox mask_extents(const Instance& instance) {
  const Box& box = instance.box;
  if (box.of == BoxOf::mask)
    return {static_cast<int>(box.x), static_cast<int>(box.y), static_cast<int>(box.width),
            static_cast<int>(box.height)};
  const Mask& mask = instance.mask;
  int left = mask.width(), right = -1, top = mask.height(), bottom = -1;
  for (int x = 0; x < mask.width(); ++x)
    for (int word = 0; word < mask.words_per_column(); ++word) {
      const std::uint64_t rows = mask.bits()[static_cast<std::size_t>(x * mask.words_per_column() + word)];
      if (rows == 0) continue;
      left = std::min(left, x);
      right = x;
      top = std::min(top, 64 * word + std::countr_zero(rows));
      bottom = std::max(bottom, 64 * word + 63 - std::countl_zero(rows));
    }
  return {left, top, right - left + 1, bottom - top + 1};
}

}  // namespace

std::vector<Drawing> drawings_of(std::span<const Instance> instances, const std::vector<Category>& categories,
                                 float minimum_score, Colouring colouring) {
  std::vector<std::pair<std::int64_t, const Instance*>> chosen;
  for (const Instance& instance : instances)
    if (instance.score >= minimum_score && instance.mask.area() > 0)
      chosen.emplace_back(instance.mask.area(), &instance);
  std::stable_sort(chosen.begin(), chosen.end(), [](const auto& a, const auto& b) { return a.first > b.first; });

  std::vector<PixelBox> boxes;
  for (const auto& [area, instance] : chosen) boxes.push_back(mask_extents(*instance));
  const std::vector<Color> own_colors = instance_colors(boxes);

  std::vector<Drawing> drawings;
  for (const auto& [area, instance] : chosen) {
    Drawing drawing;
    drawing.box = boxes[drawings.size()];
    drawing.mask = instance->mask;
    char score[16];
    std::snprintf(score, sizeof score, "%.2f", instance->score);
    drawing.name = instance->label;
    drawing.score = score;
    const auto index = static_cast<std::size_t>(instance->class_id);
    drawing.color = colouring == Colouring::instance
                        ? own_colors[drawings.size()]
                        : class_color(index < categories.size() ? categories[index] : Category(), instance->class_id);
    drawings.push_back(std::move(drawing));
  }
  return drawings;
}

std::vector<PixelBox> place_labels(std::span<const LabelAnchor> anchors, int width, int height) {
  std::vector<PixelBox> placed;
  for (const LabelAnchor& anchor : anchors) {
    const PixelBox& box = anchor.box;
    PixelBox best;
    if (anchor.width > 0) {
      const int centred = anchor.x - anchor.width / 2, end = box.x + box.width - anchor.width;
      const int middle = box.x + (box.width - anchor.width) / 2;
      const int above = box.y - anchor.height, below = box.y + box.height;
      const int centre = box.y + (box.height - anchor.height) / 2;
      // From the most to the least natural; the first of those that cover least is taken.
      const std::pair<int, int> candidates[] = {{centred, anchor.y - anchor.height},
                                                {centred, above},
                                                {box.x, above},
                                                {end, above},
                                                {centred, anchor.y},
                                                {middle, centre},
                                                {middle, below},
                                                {box.x, below},
                                                {end, below}};
      std::int64_t least = std::numeric_limits<std::int64_t>::max();
      for (const auto& [x, y] : candidates) {
        const PixelBox candidate = {std::clamp(x, 0, width - anchor.width), std::clamp(y, 0, height - anchor.height),
                                    anchor.width, anchor.height};
        std::int64_t covered = 0;
        for (const PixelBox& other : placed) covered += overlap(candidate, other);
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
  MaskPainter painter(scale.line);
  std::vector<Label> labels;
  std::vector<LabelAnchor> anchors;
  for (const Drawing& drawing : drawings) {
    painter.paint(canvas, drawing.mask, drawing.box, drawing.color);
    labels.push_back(lay_out(canvas, drawing, scale.font));
    Pixel at = drawing.centred ? deep_point(drawing.mask, drawing.box) : label_point(drawing.mask, drawing.box);
    if (drawing.centred) at.y += labels.back().height / 2;
    anchors.push_back({drawing.box, at.x, at.y, labels.back().width, labels.back().height});
  }
  const std::vector<PixelBox> places = place_labels(anchors, canvas.width(), canvas.height());
  for (std::size_t i = 0; i < drawings.size(); ++i)
    if (places[i].width > 0) draw_label(canvas, labels[i], places[i], drawings[i].color);
}

}  // namespace maskrt::cli
