// Maps made for tests: of numbers as they are seen, and folders of their files.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "graph/safetensors.h"
#include "runtime/image/png_areas.h"
#include "runtime/label_maps/maps.h"
#include "support/files.h"

namespace maskrt::label_maps {

/// What an action says that fails.
inline std::string error_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

/// "aab/b.." is a map of 3 x 2; '.' is `none`, 'a' is 1.
inline SegmentMap segments(std::string_view rows) {
  SegmentMap map;
  map.width = static_cast<int>(rows.find('/') == std::string_view::npos ? rows.size() : rows.find('/'));
  for (const char c : rows)
    if (c != '/') map.ids.push_back(c == '.' ? 0 : static_cast<std::uint32_t>(c - 'a') + 1);
  map.height = static_cast<int>(map.ids.size()) / map.width;
  return map;
}

/// The same with digits, which are labels; '.' is 255.
inline LabelMap labels(std::string_view rows) {
  LabelMap map;
  map.width = static_cast<int>(rows.find('/') == std::string_view::npos ? rows.size() : rows.find('/'));
  for (const char c : rows)
    if (c != '/') map.labels.push_back(c == '.' ? 255 : static_cast<std::uint16_t>(c - '0'));
  map.height = static_cast<int>(map.labels.size()) / map.width;
  return map;
}

inline std::filesystem::path write_bytes(const std::filesystem::path& path, const std::vector<std::byte>& bytes) {
  std::filesystem::create_directories(path.parent_path());
  graph::write_file(path, bytes);
  return path;
}

inline std::filesystem::path write_map(const std::filesystem::path& path, std::string_view rows) {
  return write_bytes(path, encode_segment_map(segments(rows)));
}

inline std::filesystem::path write_labels(const std::filesystem::path& path, std::string_view rows) {
  return write_bytes(path, encode_label_map(labels(rows), {}));
}

/// One pixel of any kind of PNG.
inline std::vector<std::byte> one_pixel(int type, int bits, std::size_t bytes) {
  const std::vector<std::uint8_t> row(bytes, 1), palette(768);
  return image::encode_areas(row, 1, 1, bits, type,
                             type == 3 ? std::span<const std::uint8_t>(palette) : std::span<const std::uint8_t>());
}

}  // namespace maskrt::label_maps
