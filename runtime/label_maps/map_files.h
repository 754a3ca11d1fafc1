// Folders of label maps: which result belongs to which truth.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "classes.h"
#include "semantic_score.h"

namespace maskrt::label_maps {

/// The label maps of a folder of annotations.
struct TruthMaps {
  std::map<std::string, std::filesystem::path> files;  ///< by image (image_of)
  Numbering numbering = Numbering::ids;                ///< as MapFolders::truths
};

/// Finds the PNG files in a folder and those inside it, as find_maps() does. Throws Error: for a folder that cannot be
/// listed or has none, and for two files of the same image.
TruthMaps find_truth_maps(const std::filesystem::path& truths, MapNames names,
                          std::optional<Numbering> numbering = std::nullopt);

struct MapFolders {
  std::vector<MapPair> pairs;  ///< in the order of the truths' names
  /// What the truths' files are named after, where that tells: of Cityscapes. Else as it was asked for.
  Numbering truths = Numbering::ids;
  std::size_t left_out = 0;  ///< results of images that the truths have not
};

/// What the names of an image's files have in common: all but the extension, or as MapNames::cityscapes says.
std::string image_of(const std::filesystem::path& file, MapNames names);

/// Finds the PNG files in both folders and those inside them. Files are paired by their names without extension, or as
/// MapNames::cityscapes says, whose truths in ids are taken where there are some and nothing else was asked for. Hidden
/// files do not count.
///
/// Throws Error: for a folder that cannot be listed, no truths, truths without a result (their number, and the first),
/// and two files of one folder for the same image.
MapFolders find_maps(const std::filesystem::path& truths, const std::filesystem::path& results, MapNames names,
                     std::optional<Numbering> truth_numbering = std::nullopt);

}  // namespace maskrt::label_maps
