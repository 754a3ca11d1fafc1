// Drawings of semantic and panoptic results over their pictures, several at a time.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "graph/file_roles.h"
#include "overlay.h"
#include "runtime/label_maps/map_files.h"
#include "segment_drawings.h"

namespace maskrt::cli {

/// The pictures in a folder and those inside it, by image (label_maps::image_of). Throws Error for two of one image,
/// and for a folder that cannot be listed.
std::map<std::string, std::filesystem::path> pictures_by_image(const std::filesystem::path& folder,
                                                               label_maps::MapNames names);

/// One result that is drawn.
struct MapOverlay {
  std::string image;              ///< what the result's name and its picture's have in common (image_of)
  std::filesystem::path picture;  ///< the picture it is drawn over
};

/// Finds the pictures, in `images` and the folders inside, and tells `roles` of all files. Nothing to do without
/// overlays. Throws Error for results without a picture, their number and the first.
void find_overlays(std::vector<MapOverlay>& overlays, const std::filesystem::path& images,
                   const std::filesystem::path& folder, label_maps::MapNames names, graph::FileRoles& roles);

/// What is drawn, of a map of this size.
struct DrawnMap {
  int width = 0, height = 0;
  std::vector<Drawing> drawings;
};

/// Writes FOLDER/IMAGE.jpg for each, of what `draw(place)` gives, which is called from several threads. Pictures are
/// taken as they are stored, as the maps are made. Throws Error, also for a map of another size than its picture.
void draw_overlays(const std::vector<MapOverlay>& overlays, const std::filesystem::path& folder, int threads,
                   const std::function<DrawnMap(std::size_t)>& draw);

}  // namespace maskrt::cli
