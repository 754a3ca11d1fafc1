// Pictures that are encoded on one thread and written by another.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <vector>

#include "runtime/coco/image_lines.h"

namespace maskrt::cli {

/// A drawing of a picture, or the mask of one of its instances.
struct EncodedFile {
  std::filesystem::path path;
  std::vector<std::byte> bytes;
  std::optional<std::size_t> instance;  ///< whose mask it is, by its place in the line of results
};

/// Writes the file, and then notes its path in the picture's line of results. Throws Error and WriteError.
void write(const EncodedFile& file, coco::ImageLine& line);

}  // namespace maskrt::cli
