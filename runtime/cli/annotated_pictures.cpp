#include "annotated_pictures.h"

#include <map>
#include <system_error>
#include <utility>

#include "maskrt/maskrt.hpp"

namespace maskrt::cli {
namespace {

namespace fs = std::filesystem;

/// How many parts of `path`, from its end, are all of `name`; 0 where `name` does not end it.
std::size_t matching_parts(const fs::path& path, const fs::path& name) {
  const fs::path whole = name.relative_path().lexically_normal();
  auto in_path = path.end();
  std::size_t parts = 0;
  for (auto part = whole.end(); part != whole.begin(); ++parts) {
    if (in_path == path.begin() || *--part != *--in_path) return 0;
  }
  return parts;
}

using Images = std::multimap<fs::path, const coco::ImageEntry*>;  ///< by the last part of their names

struct Candidates {
  const coco::ImageEntry* image = nullptr;
  bool several = false;
};

Candidates image_of(const fs::path& picture, const Images& images) {
  std::error_code ignored;
  const fs::path path = fs::absolute(picture, ignored).lexically_normal();
  const auto [first, last] = images.equal_range(path.filename());
  Candidates best;
  std::size_t best_parts = 0;
  for (auto at = first; at != last; ++at) {
    const std::size_t parts = matching_parts(path, at->second->file_name);
    if (best.image != nullptr && parts < best_parts) continue;
    best = {at->second, best.image != nullptr && parts == best_parts};
    best_parts = parts;
  }
  return best;
}

}  // namespace

fs::path find_picture(const fs::path& folder, const coco::ImageEntry& image) {
  std::error_code ignored;
  if (image.file_name.empty()) return {};
  const fs::path path = folder / image.file_name;
  if (fs::is_regular_file(path, ignored)) return path;
  const fs::path plain = folder / fs::path(image.file_name).filename();
  return image.named_by_url && fs::is_regular_file(plain, ignored) ? plain : fs::path();
}

void take_annotated_ids(std::span<Picture> pictures, const std::string& file) {
  const std::vector<coco::ImageEntry> entries = coco::read_images(file);
  Images images;
  for (const coco::ImageEntry& image : entries) {
    if (!image.file_name.empty()) images.emplace(fs::path(image.file_name).filename(), &image);
  }
  std::map<coco::Id, const Picture*> taken;
  std::size_t failed = 0;
  std::string first;
  for (Picture& picture : pictures) {
    const auto [image, several] = image_of(picture.path, images);
    if (image == nullptr || several) {
      if (failed++ == 0)
        first = picture.path.string() + (several ? ", of which it lists several" : ", which it does not list");
      continue;
    }
    const auto [other, is_new] = taken.emplace(image->id, &picture);
    if (!is_new)
      throw Error("expected pictures of different images of " + file + ", found " + other->second->path.string() +
                  " and " + picture.path.string() + " for the image of id " + image->id.described());
    picture.image_id = image->id;
    picture.file_name = image->file_name;
  }
  if (failed > 0)
    throw Error("expected that " + file + " lists each picture as one image, found " + std::to_string(failed) + " of " +
                std::to_string(pictures.size()) + " that it does not, the first is " + first);
}

}  // namespace maskrt::cli
