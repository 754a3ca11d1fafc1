// Which files of a folder are pictures, and what is said of the others.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace maskrt::cli {

struct PictureFolder {
  std::vector<std::filesystem::path> pictures;  ///< sorted by name
  /// One sentence about the files that are passed over: "passed over 3 files of photos: 1 HEIC picture, and 2 that are
  /// no pictures (._IMG_1.JPG, Thumbs.db)". Empty where there are none.
  std::string passed_over;
};

/// The files of a folder, not of those inside it. Those count that are named as pictures that maskrt reads and are not
/// hidden: what macOS writes beside them is called ._NAME.jpg. Throws Error where the folder cannot be listed.
PictureFolder list_pictures(const std::filesystem::path& folder);

/// The extensions that count in a folder, in either case, for messages: ".jpg .jpeg ...".
std::string picture_extensions();

}  // namespace maskrt::cli
