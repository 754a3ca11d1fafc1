// COCO's panoptic files: for each image a PNG of segments' ids (id = R + 256 G + 65536 B, 0 is void), and a JSON file
// that says what the segments are.
//
//   {"images": [...], "categories": [{"id": 1, "name": "person", "isthing": 1, "color": [220, 20, 60]}, ...],
//    "annotations": [{"image_id": 139, "file_name": "000000000139.png",
//                     "segments_info": [{"id": 3226956, "category_id": 1, "area": 2840, "bbox": [413, 158, 53, 138],
//                                        "iscrowd": 0}, ...]}, ...]}
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "maps.h"
#include "runtime/coco/id.h"

namespace maskrt::label_maps {

struct PanopticCategory {
  coco::Id id;
  std::string name;
  bool is_thing = false;
  ClassColor color{};  ///< black: none of its own
};

struct SegmentInfo {
  std::uint32_t id = 0;
  std::size_t category = 0;  ///< place in the categories
  bool crowd = false;        ///< of truths
  /// Pixels as a truth's file says. Scores are made of this number where there is one; mostly it is that of the pixels.
  std::optional<double> area;
  std::optional<double> score;  ///< of results, where the file says
};

struct PanopticImage {
  coco::Id id;
  std::string file_name;  ///< of the PNG file, in the folder of maps
  std::string picture;    ///< of truths: the file_name that "images" has for the id; "" where it has none
  std::vector<SegmentInfo> segments;
};

struct PanopticSet {
  std::filesystem::path path;  ///< the JSON file, for messages
  std::filesystem::path maps;  ///< the folder of PNG files
  std::vector<PanopticCategory> categories;
  std::vector<PanopticImage> images;
};

/// The folder of the PNG files that belong to a JSON file, where none is named: called alike, without ".json".
std::filesystem::path maps_of(const std::filesystem::path& json);

/// Reads annotations. `maps`: empty for maps_of(). Images are those of "annotations";
/// of "images" only names are read, where they are texts. Throws Error that names the file,
/// the record, what was expected and what was found: for wrong types, a category that is not listed or is listed twice,
/// an image or a segment's id that is used twice, ids of segments that are not 1 to 16777215.
PanopticSet read_panoptic_annotations(const std::filesystem::path& path, const std::filesystem::path& maps = {});

/// Reads results on `truths`, whose categories they have. Other members of the file than "annotations" do not matter,
/// and neither do areas. Throws as above.
PanopticSet read_panoptic_results(const std::filesystem::path& path, const PanopticSet& truths,
                                  const std::filesystem::path& maps = {});

}  // namespace maskrt::label_maps
