#include "segment_drawings.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>

#include "instance_colors.h"
#include "palette.h"
#include "runtime/label_maps/panoptic_writer.h"
#include "runtime/mask/mask.h"

namespace maskrt::cli {
namespace {

using label_maps::ClassColor;
using label_maps::SegmentExtent;
using label_maps::SegmentMap;

/// A segment of a map, before it has a mask.
struct Segment {
  std::uint32_t id = 0;
  SegmentExtent extent;
  std::size_t place = 0;  ///< in what the caller has of it
};

Color color_of(const ClassColor& color, std::size_t index) {
  Category category;
  std::copy(color.begin(), color.end(), category.color);
  return class_color(category, static_cast<int>(index));
}

PixelBox box_of(const SegmentExtent& extent) {
  return {extent.left, extent.top, extent.right - extent.left, extent.bottom - extent.top};
}

/// The largest first, and as many as are drawn.
void choose(std::vector<Segment>& segments) {
  std::stable_sort(segments.begin(), segments.end(),
                   [](const Segment& a, const Segment& b) { return a.extent.area > b.extent.area; });
  if (segments.size() > kMostDrawnSegments) segments.resize(kMostDrawnSegments);
}

/// The segments' masks, made in one walk over the map.
std::vector<Mask> masks_of(const SegmentMap& map, const std::vector<Segment>& segments) {
  std::map<std::uint32_t, std::size_t> places;
  std::vector<kernels::MaskBits> bits(segments.size());
  for (std::size_t i = 0; i < segments.size(); ++i) {
    places.emplace(segments[i].id, i);
    bits[i].width = map.width;
    bits[i].height = map.height;
    bits[i].words_per_column = (map.height + 63) / 64;
    bits[i].words.assign(static_cast<std::size_t>(map.width) * static_cast<std::size_t>(bits[i].words_per_column), 0);
  }
  auto at = places.end();
  for (std::size_t i = 0; i < map.ids.size(); ++i) {
    if (at == places.end() || at->first != map.ids[i]) at = places.find(map.ids[i]);
    if (at == places.end()) continue;
    kernels::MaskBits& mask = bits[at->second];
    const std::size_t x = i % static_cast<std::size_t>(map.width), y = i / static_cast<std::size_t>(map.width);
    mask.words[x * static_cast<std::size_t>(mask.words_per_column) + y / 64] |= std::uint64_t{1} << (y % 64);
  }
  std::vector<Mask> masks;
  for (std::size_t i = 0; i < segments.size(); ++i)
    masks.push_back(Mask(std::make_shared<Mask::Data>(std::move(bits[i]), segments[i].extent.area)));
  return masks;
}

/// Drawings of the chosen segments, which the caller names and colours.
std::vector<Drawing> drawn(const SegmentMap& map, const std::vector<Segment>& segments) {
  const std::vector<Mask> masks = masks_of(map, segments);
  std::vector<Drawing> drawings(segments.size());
  for (std::size_t i = 0; i < segments.size(); ++i) {
    drawings[i].box = box_of(segments[i].extent);
    drawings[i].mask = masks[i];
  }
  return drawings;
}

}  // namespace

std::vector<Drawing> drawings_of(const label_maps::LabelMap& map, const label_maps::LabelNumbers& numbers,
                                 const label_maps::LabelClasses& table) {
  SegmentMap classes{map.width, map.height, {}};
  classes.ids.reserve(map.labels.size());
  std::vector<bool> has(table.classes.size());
  for (const std::uint16_t label : map.labels) {
    const std::int32_t index = numbers[label];
    classes.ids.push_back(index < 0 ? 0 : static_cast<std::uint32_t>(index) + 1);
    if (index >= 0) has[static_cast<std::size_t>(index)] = true;
  }
  std::vector<std::uint32_t> ids;
  for (std::size_t i = 0; i < has.size(); ++i)
    if (has[i]) ids.push_back(static_cast<std::uint32_t>(i) + 1);
  const std::vector<SegmentExtent> extents = label_maps::extents_of(classes, ids);
  std::vector<Segment> segments;
  for (std::size_t i = 0; i < ids.size(); ++i) segments.push_back({ids[i], extents[i], ids[i] - 1});
  choose(segments);
  std::vector<Drawing> drawings = drawn(classes, segments);
  for (std::size_t i = 0; i < drawings.size(); ++i) {
    const label_maps::LabelClass& one = table.classes[segments[i].place];
    drawings[i].name = one.name;
    drawings[i].color = color_of(one.color, segments[i].place);
    drawings[i].centred = true;
  }
  return drawings;
}

std::vector<Drawing> drawings_of(const SegmentMap& map, const std::vector<label_maps::SegmentInfo>& segments,
                                 const std::vector<label_maps::PanopticCategory>& categories) {
  std::vector<std::uint32_t> ids;
  for (const auto& segment : segments) ids.push_back(segment.id);
  const std::vector<SegmentExtent> extents = label_maps::extents_of(map, ids);
  std::vector<Segment> chosen;
  for (std::size_t i = 0; i < ids.size(); ++i) chosen.push_back({ids[i], extents[i], i});
  choose(chosen);
  const auto is_thing = [&](const Segment& segment) { return categories[segments[segment.place].category].is_thing; };
  const auto things =
      std::stable_partition(chosen.begin(), chosen.end(), [&](const Segment& segment) { return !is_thing(segment); });
  std::vector<PixelBox> boxes;
  for (auto thing = things; thing != chosen.end(); ++thing) boxes.push_back(box_of(thing->extent));
  const std::vector<Color> colors = instance_colors(boxes);

  std::vector<Drawing> drawings = drawn(map, chosen);
  const auto stuff = static_cast<std::size_t>(things - chosen.begin());
  for (std::size_t i = 0; i < drawings.size(); ++i) {
    const label_maps::SegmentInfo& segment = segments[chosen[i].place];
    const label_maps::PanopticCategory& category = categories[segment.category];
    drawings[i].name = category.name;
    drawings[i].centred = i < stuff;
    drawings[i].color = i < stuff ? color_of(category.color, segment.category) : colors[i - stuff];
    if (i < stuff || !segment.score) continue;
    char score[32];
    std::snprintf(score, sizeof score, "%.2f", *segment.score);
    drawings[i].score = score;
  }
  return drawings;
}

std::vector<Drawing> drawings_of(const SemanticMap& result, const std::vector<Category>& categories) {
  label_maps::LabelClasses table;
  for (const Category& category : categories) {
    const auto index = static_cast<std::uint16_t>(table.classes.size());
    table.indices.set(index, index);
    table.classes.push_back({category.name, {category.color[0], category.color[1], category.color[2]}});
  }
  return drawings_of(label_maps::label_map_of(result, categories.size()), table.indices, table);
}

std::vector<Drawing> drawings_of(const PanopticMap& result, const std::vector<Category>& categories) {
  // A class's name and kind are those of its segments, whatever the model calls it.
  std::vector<label_maps::PanopticCategory> kinds;
  std::vector<label_maps::SegmentInfo> segments;
  for (const PanopticSegment& segment : result.segments) {
    const auto index = static_cast<std::size_t>(segment.class_id);
    if (index >= kinds.size()) kinds.resize(index + 1);
    const Category category = index < categories.size() ? categories[index] : Category();
    kinds[index] = {segment.category_id,
                    segment.label,
                    segment.is_thing,
                    {category.color[0], category.color[1], category.color[2]}};
    segments.push_back({static_cast<std::uint32_t>(segment.id), index, false, {}, {}});
    if (segment.is_thing) segments.back().score = segment.score;
  }
  return drawings_of(label_maps::segment_map_of(result), segments, kinds);
}

}  // namespace maskrt::cli
