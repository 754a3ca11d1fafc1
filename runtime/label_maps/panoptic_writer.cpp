#include "panoptic_writer.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "graph/safetensors.h"
#include "maskrt/types.hpp"
#include "runtime/coco/result_text.h"

namespace maskrt::label_maps {

std::vector<SegmentExtent> extents_of(const SegmentMap& map, std::span<const std::uint32_t> ids) {
  std::map<std::uint32_t, std::size_t> places;
  for (std::size_t i = 0; i < ids.size(); ++i)
    if (!places.emplace(ids[i], i).second)
      throw Error("expected segments of different ids, found " + std::to_string(ids[i]) + " twice");
  std::vector<SegmentExtent> extents(ids.size(), {0, map.width, map.height, 0, 0});
  const auto width = static_cast<std::size_t>(map.width);
  for (std::size_t begin = 0, end = 0; begin < map.ids.size(); begin = end) {
    const std::uint32_t id = map.ids[begin];
    const std::size_t row = begin / width;
    for (end = begin + 1; end < (row + 1) * width && map.ids[end] == id;) ++end;
    if (id == 0) continue;
    const auto at = places.find(id);
    if (at == places.end())
      throw Error("expected a segment for each id in the map, found none for " + std::to_string(id));
    SegmentExtent& extent = extents[at->second];
    extent.area += static_cast<std::int64_t>(end - begin);
    extent.left = std::min(extent.left, static_cast<int>(begin - row * width));
    extent.right = std::max(extent.right, static_cast<int>(end - row * width));
    extent.top = std::min(extent.top, static_cast<int>(row));
    extent.bottom = std::max(extent.bottom, static_cast<int>(row) + 1);
  }
  for (std::size_t i = 0; i < ids.size(); ++i)
    if (extents[i].area == 0)
      throw Error("expected a pixel or more of each segment, found none of " + std::to_string(ids[i]));
  return extents;
}

PanopticFile encode_panoptic(const coco::Id& image_id, const std::string& file_name, const SegmentMap& map,
                             std::span<const SegmentToWrite> segments) {
  std::vector<std::uint32_t> ids;
  for (const SegmentToWrite& segment : segments) ids.push_back(segment.id);
  const std::vector<SegmentExtent> extents = extents_of(map, ids);
  PanopticFile file{file_name, encode_segment_map(map), {}};
  std::string& out = file.record;
  out += "{\"image_id\": ";
  coco::append_id(out, image_id);
  out += ", \"file_name\": ";
  coco::append_string(out, file_name);
  out += ", \"segments_info\": [";
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const SegmentToWrite& segment = segments[i];
    const SegmentExtent& extent = extents[i];
    out += (i == 0 ? "{\"id\": " : ", {\"id\": ") + std::to_string(segment.id) + ", \"category_id\": ";
    coco::append_id(out, segment.category_id);
    out += std::string(", \"isthing\": ") + (segment.is_thing ? "true" : "false");
    out += ", \"bbox\": [" + std::to_string(extent.left) + ", " + std::to_string(extent.top) + ", " +
           std::to_string(extent.right - extent.left) + ", " + std::to_string(extent.bottom - extent.top) +
           "], \"area\": " + std::to_string(extent.area);
    if (segment.score) {
      if (!std::isfinite(*segment.score))
        throw Error("expected a finite score of segment " + std::to_string(segment.id) + ", found one that is not");
      out += ", \"score\": ";
      coco::append_number(out, *segment.score);
    }
    out += '}';
  }
  out += "]}";
  return file;
}

PanopticFile encode_panoptic(const coco::Id& image_id, const std::string& file_name, const PanopticMap& result) {
  std::vector<SegmentToWrite> segments;
  for (const PanopticSegment& segment : result.segments) {
    std::optional<double> score;
    if (segment.is_thing) score = segment.score;
    segments.push_back({static_cast<std::uint32_t>(segment.id), segment.category_id, segment.is_thing, score});
  }
  return encode_panoptic(image_id, file_name, segment_map_of(result), segments);
}

void PanopticWriter::add(const PanopticFile& image) {
  graph::write_file(maps_ / image.file_name, image.bytes);
  list_.add(image.record);
  list_.end_image();
}

void write_label_map(const std::filesystem::path& path, const LabelMap& map, std::span<const ClassColor> colors) {
  graph::write_file(path, encode_label_map(map, colors));
}

}  // namespace maskrt::label_maps
