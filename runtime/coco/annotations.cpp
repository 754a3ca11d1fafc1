#include "annotations.h"

#include <limits>
#include <map>
#include <set>
#include <string_view>

#include "json_records.h"
#include "segmentation.h"

namespace maskrt::coco {
namespace {

/// The entries of a section in the order in which their ids came first; a later one of the same id takes the place, as
/// in a Python dictionary.
template <typename Entry>
class Entries {
 public:
  void add(Entry entry) {
    const auto [at, is_new] = places_.emplace(entry.id, entries_.size());
    if (is_new)
      entries_.push_back(std::move(entry));
    else
      entries_[at->second] = std::move(entry);
  }
  std::vector<Entry> take() { return std::move(entries_); }

 private:
  std::vector<Entry> entries_;
  std::map<Id, std::size_t> places_;  // a tree, since ids can be chosen to collide in a hash table
};

/// 0 where there is none, and where it is of no use and cannot be used.
int read_extent(const Record& record, const char* key, bool needed) {
  const auto value = record.find(key);
  if (!value || value->is_null()) return 0;
  const auto whole = value->is_number() ? value->integer() : std::nullopt;
  if (whole && *whole >= 1 && *whole <= std::numeric_limits<int>::max()) return static_cast<int>(*whole);
  if (needed) record.fail(key, "a whole number from 1 to 2147483647", value);
  return 0;
}

/// The folder and the name that a URL ends with, without what a server is told behind "?" or "#".
std::string end_of_url(std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  const std::size_t name = url.rfind('/');
  if (name == std::string_view::npos || name == 0) return std::string(url);
  const std::size_t folder = url.rfind('/', name - 1);
  return std::string(folder == std::string_view::npos ? url : url.substr(folder + 1));
}

ImageEntry read_image(const Record& record, bool with_size) {
  ImageEntry image;
  image.id = record.id("id");
  image.file_name = record.text("file_name");
  if (image.file_name.empty()) {
    image.file_name = end_of_url(record.text("coco_url"));
    image.named_by_url = !image.file_name.empty();
  }
  image.height = read_extent(record, "height", with_size);
  image.width = read_extent(record, "width", with_size);
  return image;
}

/// pycocotools keeps them in an array of numbers, so strings of numbers will do.
std::int64_t read_annotation_id(const Record& record, std::set<std::int64_t>& used) {
  const auto value = record.find("id");
  const auto id = value && value->is_string() ? value->integer() : std::optional(record.integer("id"));
  if (!id) record.fail("id", "a whole number of 64 bits", value);
  if (!used.insert(*id).second) record.fail("id", "used once in its list", value);
  return *id;
}

Annotation read_annotation(const Record& record, std::set<std::int64_t>& ids, std::optional<IouType> type) {
  Annotation annotation;
  annotation.id = read_annotation_id(record, ids);
  annotation.image_id = record.id("image_id");
  annotation.category_id = record.id("category_id");
  annotation.crowd = record.flag("iscrowd");
  annotation.area = record.number("area");
  if (type != IouType::segm) annotation.bbox = record.box("bbox");
  if (type != IouType::bbox) annotation.segmentation = read_segmentation(record);
  return annotation;
}

void expect_section(const std::set<std::string>& found, const char* section, const std::filesystem::path& path) {
  if (!found.contains(section))
    throw Error(path.string() + ": expected COCO annotations with \"" + section + "\", found no such member");
}

}  // namespace

Annotations read_annotations(const std::filesystem::path& path, std::optional<IouType> type) {
  Annotations result;
  result.path = path;
  Entries<ImageEntry> images;
  Entries<CategoryEntry> categories;
  std::set<std::int64_t> ids;
  const auto found = read_sections(
      path, {{"images",
              [&](const Record& record) {
                images.add(read_image(record, type != IouType::bbox));
                if (record.find("neg_category_ids") || record.find("not_exhaustive_category_ids"))
                  result.federated = true;
              }},
             {"categories",
              [&](const Record& record) {
                categories.add({record.id("id"), record.text("name")});
              }},
             {"annotations",
              [&](const Record& record) { result.annotations.push_back(read_annotation(record, ids, type)); }}});
  expect_section(found, "images", path);
  expect_section(found, "categories", path);
  result.images = images.take();
  result.categories = categories.take();
  return result;
}

std::vector<ImageEntry> read_images(const std::filesystem::path& path) {
  Entries<ImageEntry> images;
  const auto found =
      read_sections(path, {{"images", [&](const Record& record) { images.add(read_image(record, true)); }}});
  expect_section(found, "images", path);
  return images.take();
}

}  // namespace maskrt::coco
