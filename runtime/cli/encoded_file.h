// Pictures that are encoded on one thread and written by another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "runtime/coco/image_lines.h"

namespace maskrt::cli {

/// What a file shows.
enum class FileOf : std::uint8_t {
  overlay,      ///< a picture with its instances drawn
  mask,         ///< an instance's mask
  activations,  ///< an instance's activation maps
  map,          ///< a number for each pixel: its class, or its segment
};

struct EncodedFile {
  std::filesystem::path path;
  std::vector<std::byte> bytes;
  FileOf of = FileOf::overlay;
  std::size_t instance = 0;  ///< its place in the line of results; of a mask and of activations
  std::string record;        ///< of a map of segments: what the file of annotations says of the picture
};

/// Writes the file, and then notes its path in the picture's line of results. Throws Error and WriteError.
void write(const EncodedFile& file, coco::ImageLine& line);

}  // namespace maskrt::cli
