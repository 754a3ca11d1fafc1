#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "jpeg_segments.h"
#include "jpeg_tables.h"
#include "regular.h"

namespace maskrt::image {
namespace {

/// What libjpeg decides about colours by, of the segments before the first scan.
struct ColourMarkers {
  bool jfif = false;
  std::optional<int> adobe_transform;
  std::uint32_t components = 0;
  bool ids_are_rgb = false;
  std::array<bool, 4> has_table{};  ///< DC 0, DC 1, AC 0, AC 1
  bool sequential = true;

  /// JFIF wins over Adobe's marker, and that over the components' names.
  bool is_ycc() const {
    if (components == 4) return adobe_transform.value_or(0) != 0;
    return jfif || (adobe_transform ? *adobe_transform != 0 : !ids_are_rgb);
  }
};

void note_tables(Bytes content, ColourMarkers& markers) {
  while (content.size() >= 17) {
    const std::uint32_t table = byte_at(content, 0);
    if ((table & 0xeeu) == 0) markers.has_table[(table >> 3 & 2) + (table & 1)] = true;
    std::size_t size = 17;
    for (std::size_t i = 1; i <= 16; ++i) size += byte_at(content, i);
    content = content.subspan(std::min(size, content.size()));
  }
}

ColourMarkers markers_before_scan(Bytes file) {
  ColourMarkers markers;
  JpegSegments segments(file);
  for (auto segment = segments.next(); segment && segment->marker != sos; segment = segments.next()) {
    const Bytes content = segment->content;
    if (segment->marker == app0 && content.size() >= 14 && starts_with(content, {"JFIF\0", 5})) markers.jfif = true;
    if (segment->marker == app14 && content.size() >= 12 && starts_with(content, "Adobe"))
      markers.adobe_transform = byte_at(content, 11);
    if (segment->marker == dht) note_tables(content, markers);
    if (!is_jpeg_frame(segment->marker)) continue;
    markers.sequential = segment->marker != sof2;
    markers.components = byte_at(content, 5);
    markers.ids_are_rgb =
        content.size() >= 15 && byte_at(content, 6) == 'R' && byte_at(content, 9) == 'G' && byte_at(content, 12) == 'B';
  }
  return markers;
}

class Writer {
 public:
  void marker(std::uint32_t number) {
    byte(0xff);
    byte(number);
  }
  void byte(std::uint32_t value) { out.push_back(static_cast<std::byte>(value)); }
  void bytes(Bytes content) { out.insert(out.end(), content.begin(), content.end()); }
  void segment(std::uint32_t number, Bytes content) {
    marker(number);
    byte(static_cast<std::uint32_t>(content.size() + 2) >> 8);
    byte(static_cast<std::uint32_t>(content.size() + 2) & 0xff);
    bytes(content);
  }

  std::vector<std::byte> out;
};

Bytes bytes_of(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }

/// The content with every third byte from `first` on, R, G and B as names of components, made 1, 2 and 3.
std::vector<std::byte> renamed(Bytes content, std::size_t first, std::size_t step) {
  std::vector<std::byte> names(content.begin(), content.end());
  constexpr std::string_view rgb = "RGB";
  for (std::size_t i = 0; i < 3 && first + step * i < names.size(); ++i) {
    const std::size_t name = rgb.find(static_cast<char>(names[first + step * i]));
    if (name != rgb.npos) names[first + step * i] = static_cast<std::byte>(name + 1);
  }
  return names;
}

}  // namespace

std::vector<std::byte> regular_jpeg(Bytes file) {
  const ColourMarkers markers = markers_before_scan(file);
  const bool rename = markers.components == 3 && markers.ids_are_rgb && markers.is_ycc();
  Writer writer;
  writer.out.reserve(file.size() + 1024);
  writer.marker(soi);
  if (markers.jfif) writer.segment(app0, bytes_of({"JFIF\0\1\1\0\0\1\0\1\0\0", 14}));
  // Adobe's transform is 0 for none and 2 for YCCK; stb_image knows four components by it alone.
  if (markers.components == 4)
    writer.segment(app14, bytes_of({markers.is_ycc() ? "Adobe\0d\0\0\0\0\2" : "Adobe\0d\0\0\0\0\0", 12}));
  else if (markers.adobe_transform)
    writer.segment(app14, bytes_of({markers.is_ycc() ? "Adobe\0d\0\0\0\0\1" : "Adobe\0d\0\0\0\0\0", 12}));
  bool scan_seen = false;
  JpegSegments segments(file);
  while (const auto segment = segments.next()) {
    const std::uint32_t marker = segment->marker;
    if (marker >= app0 && marker <= com) continue;  // metadata
    if (marker == sos && !scan_seen && markers.sequential)
      for (std::size_t i = 0; i < markers.has_table.size(); ++i)
        if (!markers.has_table[i]) writer.segment(dht, bytes_of(kStandardHuffmanTables[i]));
    if (rename && is_jpeg_frame(marker))
      writer.segment(marker, renamed(segment->content, 6, 3));
    else if (rename && marker == sos)
      writer.segment(marker, renamed(segment->content, 1, 2));
    else
      writer.segment(marker, segment->content);
    writer.bytes(segment->entropy_coded);
    scan_seen = scan_seen || marker == sos;
  }
  writer.marker(eoi);
  return std::move(writer.out);
}

}  // namespace maskrt::image
