// Panoptic results as files: COCO's PNG for each image, and one JSON file with what the segments are.
//
//   {"annotations": [
//   {"image_id": 139, "file_name": "000000000139.png", "segments_info": [{"id": 1, "category_id": 62, "isthing": true,
//    "bbox": [10, 20, 30, 40], "area": 900, "score": 0.93}, ...]},
//   ...
//   ]}
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "maps.h"
#include "maskrt/maskrt.hpp"
#include "runtime/coco/id.h"
#include "runtime/coco/list_writer.h"

namespace maskrt::label_maps {

/// What a segment is, as it is written.
struct SegmentToWrite {
  std::uint32_t id = 0;  ///< as in the map
  coco::Id category_id;
  bool is_thing = false;
  std::optional<double> score;
};

/// A segment's pixels.
struct SegmentExtent {
  std::int64_t area = 0;
  int left = 0, top = 0, right = 0, bottom = 0;  ///< of its bounding box, right and bottom exclusive
};

/// Of each segment in the order of `ids`, which are all that the map has besides void. Throws Error for an id that is
/// used twice or has no pixel, and for one of the map that is not among them.
std::vector<SegmentExtent> extents_of(const SegmentMap& map, std::span<const std::uint32_t> ids);

/// An image's result as files; made on any thread.
struct PanopticFile {
  std::string file_name;         ///< of the PNG file, in the folder of maps
  std::vector<std::byte> bytes;  ///< of it
  std::string record;            ///< in "annotations"
};

/// `file_name`: of the PNG file. Throws Error for what extents_of() and encode_segment_map() refuse, and for a score
/// that is not finite.
PanopticFile encode_panoptic(const coco::Id& image_id, const std::string& file_name, const SegmentMap& map,
                             std::span<const SegmentToWrite> segments);

/// A network's result.
PanopticFile encode_panoptic(const coco::Id& image_id, const std::string& file_name, const PanopticMap& result);

/// Writes what encode_panoptic() made. The JSON file appears at finish() or keep(), as of ListWriter; each PNG file
/// does at once, all of it or nothing. Belongs to one thread at a time.
class PanopticWriter {
 public:
  /// `maps`: the folder of PNG files, which is there. Throws Error when the JSON file cannot be made.
  PanopticWriter(const std::filesystem::path& json, std::filesystem::path maps)
      : list_(json, "{\"annotations\": [", "]}"), maps_(std::move(maps)) {}

  /// Throws WriteError. The JSON file then still has the images before.
  void add(const PanopticFile& image);
  void finish() { list_.finish(); }
  /// How many images the file has.
  std::size_t keep() { return list_.keep(); }

 private:
  coco::ListWriter list_;
  std::filesystem::path maps_;
};

/// Writes a label map (encode_label_map) as a PNG file, all of it or nothing. Throws Error and WriteError.
void write_label_map(const std::filesystem::path& path, const LabelMap& map, std::span<const ClassColor> colors);

}  // namespace maskrt::label_maps
