#include "segmentation.h"

#include <limits>
#include <string>
#include <utility>

namespace maskrt::coco {
namespace {

Polygons read_polygons(const Record& record, const JsonValue& list) {
  // pycocotools decides by the first polygon what the list is; later ones may be degenerate.
  constexpr std::size_t fewest = 5;
  Polygons polygons;
  polygons.reserve(list.size());
  list.for_each([&](const JsonValue& item) {
    if (!item.is_array()) record.fail("a polygon of segmentation", "an array of coordinates", item);
    if (polygons.empty() && item.size() < fewest) record.fail("the first polygon", "of 3 points or more", item);
    auto& polygon = polygons.emplace_back();
    polygon.reserve(item.size());
    item.for_each([&](const JsonValue& coordinate) {
      polygon.push_back(record.to_number(coordinate, "a coordinate of segmentation"));
    });
    if (polygon.size() % 2 != 0) polygon.pop_back();
  });
  return polygons;
}

int read_extent(const Record& record, const JsonValue& value) {
  const std::int64_t extent = record.to_integer(value, "an extent of segmentation.size");
  if (extent < 1 || extent > std::numeric_limits<int>::max()) {
    record.fail("an extent of segmentation.size", "from 1 to 2147483647", value);
  }
  return static_cast<int>(extent);
}

Segmentation read_runs(const Record& record, const JsonValue& value) {
  const auto size = value.find("size"), counts = value.find("counts");
  if (!size || !size->is_array() || size->size() != 2) record.fail("segmentation.size", "[height, width]", size);
  if (!counts) record.fail("segmentation.counts", "a string or an array", counts);
  int extents[2] = {}, next = 0;
  size->for_each([&](const JsonValue& extent) { extents[next++] = read_extent(record, extent); });
  const auto [height, width] = extents;
  if (counts->is_string()) return Rle{height, width, counts->string()};
  if (!counts->is_array()) record.fail("segmentation.counts", "a string or an array", counts);

  RunCounts runs{height, width, {}};
  runs.counts.reserve(counts->size());
  counts->for_each([&](const JsonValue& count) {
    const std::int64_t length = record.to_integer(count, "a run of segmentation.counts");
    if (length < 0 || length > std::numeric_limits<std::uint32_t>::max()) {
      record.fail("a run of segmentation.counts", "from 0 to 4294967295", count);
    }
    runs.counts.push_back(static_cast<std::uint32_t>(length));
  });
  return runs;
}

std::string size_text(int height, int width) { return std::to_string(height) + "x" + std::to_string(width); }

/// A mask of another size would silently never match. An image without a stated size accepts any.
void check_size(int height, int width, const ImageEntry& image) {
  if (image.height == 0 || image.width == 0) return;
  if (height == image.height && width == image.width) return;
  throw Error("expected a mask of the size of image " + image.id.described() + ", " +
              size_text(image.height, image.width) + " (height x width), found " + size_text(height, width));
}

}  // namespace

Segmentation read_segmentation(const Record& record) {
  const auto value = record.find("segmentation");
  if (!value || value->is_null() || (value->is_array() && value->size() == 0)) return std::monostate{};
  if (value->is_object()) return read_runs(record, *value);
  if (!value->is_array()) record.fail("segmentation", "polygons, or an object with size and counts", value);
  return read_polygons(record, *value);
}

rle::Runs to_runs(const Rle& segmentation, const ImageEntry& image) {
  check_size(segmentation.height, segmentation.width, image);
  return rle::from_string(segmentation.height, segmentation.width, segmentation.counts);
}

std::int64_t area(const Rle& segmentation, const ImageEntry& image) {
  check_size(segmentation.height, segmentation.width, image);
  return rle::area(segmentation.height, segmentation.width, segmentation.counts);
}

rle::Runs to_runs(const Polygons& outlines, const ImageEntry& image) {
  if (image.height == 0 || image.width == 0)
    throw Error("expected image " + image.id.described() +
                ", which has polygons, to have height and width, found none");
  return rle::from_polygons(image.height, image.width, outlines);
}

rle::Runs to_runs(const Segmentation& segmentation, const ImageEntry& image) {
  if (const auto* compressed = std::get_if<Rle>(&segmentation)) return to_runs(*compressed, image);
  if (const auto* runs = std::get_if<RunCounts>(&segmentation)) {
    check_size(runs->height, runs->width, image);
    return rle::from_counts(runs->height, runs->width, runs->counts);
  }
  const auto* polygons = std::get_if<Polygons>(&segmentation);
  if (polygons == nullptr) throw Error("expected a segmentation, found none");
  return to_runs(*polygons, image);
}

}  // namespace maskrt::coco
