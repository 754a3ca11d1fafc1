#include "annotations.h"

#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "json_records.h"
#include "segmentation.h"

namespace maskrt::coco {
namespace {

/// The ids of one section.
class UniqueIds {
 public:
  std::int64_t read(const Record& record) {
    const std::int64_t id = record.integer("id");
    if (!ids_.insert(id).second) record.fail("id", "used once in its list", record.find("id"));
    return id;
  }

 private:
  std::set<std::int64_t> ids_;  // a tree, since ids can be chosen to meet in a hash table
};

/// 0 where there is none.
int read_extent(const Record& record, const char* key) {
  const auto extent = record.optional_integer(key);
  if (!extent) return 0;
  if (*extent < 1 || *extent > std::numeric_limits<int>::max()) {
    record.fail(key, "from 1 to 2147483647", record.find(key));
  }
  return static_cast<int>(*extent);
}

Annotation read_annotation(const Record& record, UniqueIds& ids) {
  Annotation annotation;
  annotation.id = ids.read(record);
  annotation.image_id = record.integer("image_id");
  annotation.category_id = record.integer("category_id");
  annotation.crowd = record.flag("iscrowd");
  annotation.area = record.number("area");
  annotation.bbox = record.box("bbox");
  annotation.segmentation = read_segmentation(record);
  return annotation;
}

}  // namespace

Annotations read_annotations(const std::filesystem::path& path) {
  Annotations result;
  result.path = path;
  UniqueIds images, categories, annotations;
  const auto found = read_sections(
      path, {{"images",
              [&](const Record& record) {
                const std::int64_t id = images.read(record);
                result.images.push_back(
                    {id, record.text("file_name"), read_extent(record, "height"), read_extent(record, "width")});
              }},
             {"categories",
              [&](const Record& record) {
                const std::int64_t id = categories.read(record);
                result.categories.push_back({id, record.text("name")});
              }},
             {"annotations",
              [&](const Record& record) { result.annotations.push_back(read_annotation(record, annotations)); }}});
  for (const char* section : {"images", "categories"}) {
    if (!found.contains(section)) {
      throw Error(path.string() + ": expected COCO annotations with \"" + section + "\", found no such member");
    }
  }
  return result;
}

}  // namespace maskrt::coco
