#include "segmentation.h"

#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

namespace maskrt::coco {
namespace {

using nlohmann::json;

Polygons read_polygons(const Record& record, const json& list) {
  Polygons polygons;
  polygons.reserve(list.size());
  for (const json& item : list) {
    if (!item.is_array() || item.empty() || item.size() % 2 != 0) {
      record.fail("a polygon of segmentation", "an array of an even number of coordinates", &item);
    }
    auto& polygon = polygons.emplace_back();
    polygon.reserve(item.size());
    for (const json& coordinate : item) {
      polygon.push_back(record.to_number(coordinate, "a coordinate of segmentation"));
    }
  }
  // Later ones may be degenerate, as pycocotools has it; it decides by the first what the list is.
  if (polygons.front().size() < 6) record.fail("the first polygon", "of 3 points or more", &list.front());
  return polygons;
}

int read_extent(const Record& record, const json& value) {
  const std::int64_t extent = record.to_integer(value, "an extent of segmentation.size");
  if (extent < 1 || extent > std::numeric_limits<int>::max()) {
    record.fail("an extent of segmentation.size", "from 1 to 2147483647", &value);
  }
  return static_cast<int>(extent);
}

Segmentation read_runs(const Record& record, const json& value) {
  const auto size = value.find("size"), counts = value.find("counts");
  if (size == value.end()) record.fail("segmentation.size", "[height, width]", nullptr);
  if (!size->is_array() || size->size() != 2) record.fail("segmentation.size", "[height, width]", &*size);
  if (counts == value.end()) record.fail("segmentation.counts", "a string or an array", nullptr);
  const int height = read_extent(record, (*size)[0]), width = read_extent(record, (*size)[1]);
  if (counts->is_string()) return Rle{height, width, counts->get<std::string>()};
  if (!counts->is_array()) record.fail("segmentation.counts", "a string or an array", &*counts);

  RunCounts runs{height, width, {}};
  runs.counts.reserve(counts->size());
  for (const json& count : *counts) {
    const std::int64_t length = record.to_integer(count, "a run of segmentation.counts");
    if (length < 0 || length > std::numeric_limits<std::uint32_t>::max()) {
      record.fail("a run of segmentation.counts", "from 0 to 4294967295", &count);
    }
    runs.counts.push_back(static_cast<std::uint32_t>(length));
  }
  return runs;
}

std::string size_text(int height, int width) { return std::to_string(height) + "x" + std::to_string(width); }

/// A mask of another size would silently never match.
void check_size(int height, int width, const ImageEntry& image) {
  if (image.height == 0 || image.width == 0) {
    throw Error("expected image " + std::to_string(image.id) + " to have height and width, found none");
  }
  if (height == image.height && width == image.width) return;
  throw Error("expected a mask of the size of image " + std::to_string(image.id) + ", " +
              size_text(image.height, image.width) + " (height x width), found " + size_text(height, width));
}

}  // namespace

Segmentation read_segmentation(const Record& record) {
  const json* value = record.find("segmentation");
  if (value == nullptr || value->is_null() || (value->is_array() && value->empty())) return std::monostate{};
  if (value->is_object()) return read_runs(record, *value);
  if (!value->is_array()) record.fail("segmentation", "polygons, or an object with size and counts", value);
  return read_polygons(record, *value);
}

rle::Runs to_runs(const Rle& segmentation, const ImageEntry& image) {
  check_size(segmentation.height, segmentation.width, image);
  return rle::from_string(segmentation.height, segmentation.width, segmentation.counts);
}

rle::Runs to_runs(const Segmentation& segmentation, const ImageEntry& image) {
  if (const auto* compressed = std::get_if<Rle>(&segmentation)) return to_runs(*compressed, image);
  if (const auto* runs = std::get_if<RunCounts>(&segmentation)) {
    check_size(runs->height, runs->width, image);
    return rle::from_counts(runs->height, runs->width, runs->counts);
  }
  if (const auto* polygons = std::get_if<Polygons>(&segmentation)) {
    check_size(image.height, image.width, image);
    return rle::from_polygons(image.height, image.width, *polygons);
  }
  throw Error("expected a segmentation, which mask AP needs, found none");
}

}  // namespace maskrt::coco
