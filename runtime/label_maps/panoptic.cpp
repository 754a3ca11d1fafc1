#include "panoptic.h"

#include <map>
#include <set>
#include <utility>

#include "maskrt/types.hpp"
#include "runtime/coco/json_records.h"

namespace maskrt::label_maps {
namespace {

using coco::Id;
using coco::JsonValue;
using coco::Record;

using Places = std::map<Id, std::size_t>;

PanopticCategory read_category(const Record& record) {
  PanopticCategory category;
  category.id = record.id("id");
  category.name = record.text("name");
  if (!record.find("isthing")) record.fail("isthing", "0 or 1", std::nullopt);
  category.is_thing = record.flag("isthing");
  const auto color = record.find("color");
  if (!color || !color->is_array() || color->size() != 3) return category;
  std::size_t channel = 0;
  color->for_each([&](const JsonValue& value) {
    const auto level = value.is_number() ? value.integer() : std::nullopt;
    if (!level || *level < 0 || *level > 255) record.fail("color", "red, green and blue from 0 to 255", value);
    category.color[channel++] = static_cast<std::uint8_t>(*level);
  });
  return category;
}

Places places_of(const std::vector<PanopticCategory>& categories, const std::filesystem::path& path) {
  Places places;
  for (std::size_t i = 0; i < categories.size(); ++i)
    if (!places.emplace(categories[i].id, i).second)
      throw Error(path.string() + ": expected categories of different ids, found " + categories[i].id.described() +
                  " twice");
  return places;
}

/// A segment as the file has it: its category may be listed further down.
struct ReadSegment {
  SegmentInfo segment;
  Id category;
};

struct ReadImage {
  PanopticImage image;
  std::vector<Id> categories;  ///< of its segments
};

ReadSegment read_segment(const Record& record, bool is_truth) {
  ReadSegment read;
  const std::int64_t id = record.integer("id");
  if (id < 1 || id > kMostSegmentId)
    record.fail("id", "a whole number from 1 to 16777215 (0 is void)", record.find("id"));
  read.segment.id = static_cast<std::uint32_t>(id);
  read.category = record.id("category_id");
  if (!is_truth) {
    if (const auto score = record.find("score"); score && !score->is_null())
      read.segment.score = record.to_number(*score, "score");
    return read;
  }
  read.segment.crowd = record.flag("iscrowd");
  if (const auto area = record.find("area"); area && !area->is_null())
    read.segment.area = record.to_number(*area, "area");
  return read;
}

ReadImage read_image(const Record& record, const std::string& file, bool is_truth) {
  ReadImage read;
  read.image.id = record.id("image_id");
  read.image.file_name = record.text("file_name");
  if (read.image.file_name.empty()) record.fail("file_name", "a PNG file's name", record.find("file_name"));
  const auto segments = record.find("segments_info");
  if (!segments || !segments->is_array()) record.fail("segments_info", "an array of segments", segments);
  // record.where() begins with the file, which a record of its own puts in front again.
  const std::string section = record.where().substr(file.size() + 2) + ".segments_info";
  std::set<std::uint32_t> used;
  std::size_t index = 0;
  segments->for_each([&](const JsonValue& value) {
    const Record one(value, file, section, index++);
    if (!value.is_object()) one.fail("it", "an object", value);
    const ReadSegment segment = read_segment(one, is_truth);
    if (!used.insert(segment.segment.id).second) one.fail("id", "used once in its image", one.find("id"));
    read.image.segments.push_back(segment.segment);
    read.categories.push_back(segment.category);
  });
  return read;
}

/// Puts the places of their categories into the segments.
std::vector<PanopticImage> resolved(std::vector<ReadImage> read, const Places& places,
                                    const std::filesystem::path& path, const std::filesystem::path& lists) {
  std::vector<PanopticImage> images;
  std::set<Id> used;
  for (ReadImage& one : read) {
    const std::string where = path.string() + ": image " + one.image.id.described();
    if (!used.insert(one.image.id).second) throw Error(where + ": expected one annotation of it, found two");
    for (std::size_t i = 0; i < one.categories.size(); ++i) {
      const auto place = places.find(one.categories[i]);
      if (place == places.end())
        throw Error(where + ", segment " + std::to_string(one.image.segments[i].id) + ": expected a category that " +
                    lists.string() + " lists, found category_id " + one.categories[i].described());
      one.image.segments[i].category = place->second;
    }
    images.push_back(std::move(one.image));
  }
  return images;
}

/// Notes what a record of "images" calls its picture. That is needed by who runs a model alone, so that what is no name
/// or no id is passed over.
void note_picture(const Record& record, std::map<Id, std::string>& pictures) {
  const auto id = record.find("id"), name = record.find("file_name");
  if (!id || !name || !name->is_string()) return;
  if (id->is_string())
    pictures.emplace(Id(id->string()), name->string());
  else if (const auto number = id->is_number() ? id->integer() : std::nullopt)
    pictures.emplace(Id(*number), name->string());
}

void expect_section(const std::set<std::string>& found, const char* section, const std::filesystem::path& path) {
  if (!found.contains(section))
    throw Error(path.string() + ": expected COCO's panoptic format with \"" + section + "\", found no such member");
}

}  // namespace

std::filesystem::path maps_of(const std::filesystem::path& json) {
  return json.extension() == ".json" ? json.parent_path() / json.stem() : json;
}

PanopticSet read_panoptic_annotations(const std::filesystem::path& path, const std::filesystem::path& maps) {
  PanopticSet set;
  set.path = path;
  set.maps = maps.empty() ? maps_of(path) : maps;
  std::vector<ReadImage> images;
  std::map<Id, std::string> pictures;
  const std::string file = path.string();
  const auto found = coco::read_sections(
      path, {{"images", [&](const Record& record) { note_picture(record, pictures); }},
             {"categories", [&](const Record& record) { set.categories.push_back(read_category(record)); }},
             {"annotations", [&](const Record& record) { images.push_back(read_image(record, file, true)); }}});
  expect_section(found, "categories", path);
  expect_section(found, "annotations", path);
  set.images = resolved(std::move(images), places_of(set.categories, path), path, path);
  for (PanopticImage& image : set.images)
    if (const auto named = pictures.find(image.id); named != pictures.end()) image.picture = named->second;
  return set;
}

PanopticSet read_panoptic_results(const std::filesystem::path& path, const PanopticSet& truths,
                                  const std::filesystem::path& maps) {
  PanopticSet set;
  set.path = path;
  set.maps = maps.empty() ? maps_of(path) : maps;
  set.categories = truths.categories;
  std::vector<ReadImage> images;
  const std::string file = path.string();
  const auto found = coco::read_sections(
      path, {{"annotations", [&](const Record& record) { images.push_back(read_image(record, file, false)); }}});
  expect_section(found, "annotations", path);
  set.images = resolved(std::move(images), places_of(set.categories, truths.path), path, truths.path);
  return set;
}

}  // namespace maskrt::label_maps
