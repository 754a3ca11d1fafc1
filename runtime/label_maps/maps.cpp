#include "maps.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "graph/reading.h"
#include "maskrt/types.hpp"
#include "runtime/image/png_areas.h"
#include "runtime/image/png_samples.h"

namespace maskrt::label_maps {
namespace {

using image::PngSamples;
using image::PngType;

std::vector<std::byte> read_bytes(const std::filesystem::path& path) {
  if (std::filesystem::is_directory(path)) throw Error("expected a PNG file, found a folder");
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(std::string("cannot be opened: ") + std::strerror(errno));
  constexpr std::size_t piece = 1 << 18;
  std::vector<std::byte> bytes;
  for (std::size_t filled = 0;; filled += static_cast<std::size_t>(file.gcount())) {
    bytes.resize(filled + std::max(piece, filled));
    file.read(reinterpret_cast<char*>(bytes.data() + filled), static_cast<std::streamsize>(bytes.size() - filled));
    if (file) continue;
    if (file.bad()) throw Error(std::string("cannot be read: ") + std::strerror(errno));
    bytes.resize(filled + static_cast<std::size_t>(file.gcount()));
    return bytes;
  }
}

/// use(picture) on the file's samples, with the file's name in front of what is wrong with it.
template <typename Use>
auto read_png(const std::filesystem::path& path, const Use& use) {
  const std::string file = path.string();
  return reading(file, [&] {
    try {
      return use(image::read_png_samples(read_bytes(path)));
    } catch (const Error& error) {
      throw Error(file + ": " + error.what());
    }
  });
}

void expect_pixels(int width, int height, std::size_t count) {
  if (width < 1 || height < 1 || count != static_cast<std::size_t>(width) * static_cast<std::size_t>(height))
    throw Error("cannot encode a map: expected a pixel or more and as many numbers, found " + size_text(width, height) +
                " and " + std::to_string(count) + " numbers");
}

}  // namespace

std::string size_text(int width, int height) { return std::to_string(width) + "x" + std::to_string(height); }

LabelMap read_label_map(const std::filesystem::path& path) {
  return read_png(path, [](const PngSamples& picture) {
    const bool grey = picture.type == PngType::grey && picture.bits >= 8;
    if (!grey && picture.type != PngType::palette)
      throw Error("expected a label map as 8-bit or 16-bit grey or palette PNG, found " + picture.kind());
    LabelMap map{picture.width, picture.height, {}};
    map.labels.reserve(static_cast<std::size_t>(map.width) * static_cast<std::size_t>(map.height));
    for (int y = 0; y < map.height; ++y)
      for (int x = 0; x < map.width; ++x) map.labels.push_back(picture.sample(x, y));
    return map;
  });
}

SegmentMap read_segment_map(const std::filesystem::path& path) {
  return read_png(path, [](const PngSamples& picture) {
    if (picture.type != PngType::rgb || picture.bits != 8)
      throw Error("expected ids of segments as 8-bit RGB PNG, found " + picture.kind());
    SegmentMap map{picture.width, picture.height, {}};
    map.ids.reserve(static_cast<std::size_t>(map.width) * static_cast<std::size_t>(map.height));
    for (int y = 0; y < map.height; ++y) {
      const std::uint8_t* const row = picture.row(y);
      for (std::size_t x = 0; x < static_cast<std::size_t>(map.width); ++x)
        map.ids.push_back(row[3 * x] | static_cast<std::uint32_t>(row[3 * x + 1]) << 8 |
                          static_cast<std::uint32_t>(row[3 * x + 2]) << 16);
    }
    return map;
  });
}

std::vector<std::byte> encode_label_map(const LabelMap& map, std::span<const ClassColor> colors) {
  constexpr std::size_t most_colors = 256;
  expect_pixels(map.width, map.height, map.labels.size());
  std::vector<std::uint8_t> rows;
  if (colors.size() > most_colors) {
    rows.reserve(2 * map.labels.size());
    for (const std::uint16_t label : map.labels) {
      rows.push_back(static_cast<std::uint8_t>(label >> 8));
      rows.push_back(static_cast<std::uint8_t>(label & 0xff));
    }
    return image::encode_areas(rows, map.width, map.height, 16, static_cast<int>(PngType::grey));
  }
  rows.reserve(map.labels.size());
  for (const std::uint16_t label : map.labels) {
    if (label >= most_colors)
      throw Error("cannot encode a label map: expected labels below 256 with " + std::to_string(colors.size()) +
                  " classes, found " + std::to_string(label));
    rows.push_back(static_cast<std::uint8_t>(label));
  }
  std::vector<std::uint8_t> palette(3 * most_colors);
  std::fill(palette.end() - 3, palette.end(), std::uint8_t{255});
  for (std::size_t i = 0; i < colors.size(); ++i)
    std::copy(colors[i].begin(), colors[i].end(), palette.begin() + static_cast<std::ptrdiff_t>(3 * i));
  return image::encode_areas(rows, map.width, map.height, 8, static_cast<int>(PngType::palette), palette);
}

std::vector<std::byte> encode_segment_map(const SegmentMap& map) {
  expect_pixels(map.width, map.height, map.ids.size());
  std::vector<std::uint8_t> rows;
  rows.reserve(3 * map.ids.size());
  for (const std::uint32_t id : map.ids) {
    if (id > kMostSegmentId)
      throw Error("cannot encode a segment map: expected ids up to 16777215, found " + std::to_string(id));
    for (int shift = 0; shift < 24; shift += 8) rows.push_back(static_cast<std::uint8_t>(id >> shift & 0xff));
  }
  return image::encode_areas(rows, map.width, map.height, 8, static_cast<int>(PngType::rgb));
}

LabelMap label_map_of(const SemanticMap& result, std::size_t classes) {
  LabelMap map{result.width, result.height, {}};
  map.labels.reserve(result.class_ids.size());
  for (const std::int32_t id : result.class_ids) {
    if (id < -1 || (id >= 0 && static_cast<std::size_t>(id) >= std::min<std::size_t>(classes, 65535)))
      throw Error("expected classes below " + std::to_string(classes) + ", or -1, found " + std::to_string(id));
    map.labels.push_back(id < 0 ? ignored_label(classes) : static_cast<std::uint16_t>(id));
  }
  return map;
}

SegmentMap segment_map_of(const PanopticMap& result) {
  SegmentMap map{result.width, result.height, {}};
  map.ids.reserve(result.ids.size());
  for (const std::int32_t id : result.ids) {
    if (id < 0) throw Error("expected ids of segments from 0, found " + std::to_string(id));
    map.ids.push_back(static_cast<std::uint32_t>(id));
  }
  return map;
}

}  // namespace maskrt::label_maps
