// Pictures of numbers: label maps, whose pixels are classes, and segment maps, whose pixels are ids of segments. Both
// are PNG files.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "maskrt/maskrt.hpp"

namespace maskrt::label_maps {

/// The number of each pixel's class, row by row.
struct LabelMap {
  int width = 0, height = 0;
  std::vector<std::uint16_t> labels;
};

/// The id of each pixel's segment, row by row; 0 (void) where there is none.
struct SegmentMap {
  int width = 0, height = 0;
  std::vector<std::uint32_t> ids;
};

/// Ids of segments are 24 bits.
inline constexpr std::uint32_t kMostSegmentId = 0xffffff;

/// One class's colour, red, green and blue.
using ClassColor = std::array<std::uint8_t, 3>;

/// Reads 8-bit or 16-bit grey, or a palette of any depth, whose pixels are places in it. Throws Error that names the
/// file, for other kinds of PNG too.
LabelMap read_label_map(const std::filesystem::path& path);

/// Reads 8-bit RGB: id = R + 256 G + 65536 B, as COCO has it. Throws Error that names the file, for other kinds of PNG
/// too.
SegmentMap read_segment_map(const std::filesystem::path& path);

/// A PNG file with a palette of the classes' colours, where there are at most 256 of them; the rest of the palette is
/// black, but for the last colour, white, which is what 255 (ignored) looks like. More classes: 16-bit grey. Throws
/// Error for a map that is empty, and for a label that has no place in the palette.
std::vector<std::byte> encode_label_map(const LabelMap& map, std::span<const ClassColor> colors);

/// COCO's panoptic PNG. Throws Error for a map that is empty, and for an id of more than 24 bits.
std::vector<std::byte> encode_segment_map(const SegmentMap& map);

/// What stands for no class in the label maps of so many classes.
constexpr std::uint16_t ignored_label(std::size_t classes) { return classes < 256 ? 255 : 65535; }

/// A network's result, whose pixels without a class are ignored_label(). Throws Error for a class that there is not.
LabelMap label_map_of(const SemanticMap& result, std::size_t classes);
/// A network's result. Throws Error for an id that is negative.
SegmentMap segment_map_of(const PanopticMap& result);

/// "640x480"
std::string size_text(int width, int height);

}  // namespace maskrt::label_maps
