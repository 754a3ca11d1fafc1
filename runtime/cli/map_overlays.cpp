#include "map_overlays.h"

#include "drawing_files.h"
#include "graph/safetensors.h"
#include "outputs.h"
#include "picture_folder.h"
#include "runtime/coco/parallel.h"

namespace maskrt::cli {
namespace {

namespace fs = std::filesystem;

fs::path drawn_file(const fs::path& folder, const MapOverlay& overlay) { return folder / (overlay.image + ".jpg"); }

void add_pictures(const fs::path& folder, label_maps::MapNames names, std::map<std::string, fs::path>& found) {
  for (const fs::path& picture : list_pictures(folder).pictures) {
    const auto [at, is_new] = found.emplace(label_maps::image_of(picture, names), picture);
    if (!is_new)
      throw Error("expected one picture of the image " + at->first + ", found " + at->second.string() + " and " +
                  picture.string());
  }
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    if (entry.is_directory()) add_pictures(entry.path(), names, found);
}

}  // namespace

std::map<std::string, fs::path> pictures_by_image(const fs::path& folder, label_maps::MapNames names) {
  std::map<std::string, fs::path> pictures;
  add_pictures(folder, names, pictures);
  return pictures;
}

void find_overlays(std::vector<MapOverlay>& overlays, const fs::path& images, const fs::path& folder,
                   label_maps::MapNames names, graph::FileRoles& roles) {
  if (overlays.empty()) return;
  const std::map<std::string, fs::path> pictures = pictures_by_image(images, names);
  std::size_t missing = 0;
  std::string first;
  for (MapOverlay& overlay : overlays) {
    const auto found = pictures.find(overlay.image);
    if (found == pictures.end()) {
      if (missing++ == 0) first = overlay.image;
      continue;
    }
    overlay.picture = found->second;
    roles.input(overlay.picture);
    roles.output(drawn_file(folder, overlay));
  }
  if (missing > 0)
    throw Error("expected pictures of all " + std::to_string(overlays.size()) + " results in " + images.string() +
                ", " + std::to_string(missing) + (missing == 1 ? " is" : " are") + " missing, the first is of " +
                first);
}

void draw_overlays(const std::vector<MapOverlay>& overlays, const fs::path& folder, int threads,
                   const std::function<DrawnMap(std::size_t)>& draw) {
  if (overlays.empty()) return;
  make_folder(folder);
  coco::parallel_for(overlays.size(), threads, [&](std::size_t i) {
    const Image picture = Image::from_file(overlays[i].picture.string(), {false});
    const DrawnMap map = draw(i);
    if (map.width != picture.width() || map.height != picture.height())
      throw Error(overlays[i].picture.string() + ": expected a picture of " +
                  label_maps::size_text(map.width, map.height) + " as its result has, found " +
                  label_maps::size_text(picture.width(), picture.height()));
    Canvas canvas(picture);
    draw_overlay(canvas, map.drawings);
    graph::write_file(drawn_file(folder, overlays[i]), encode(canvas, PictureFormat::jpeg));
  });
}

}  // namespace maskrt::cli
