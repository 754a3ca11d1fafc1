// Parser of a JPEG file's segments, from the first marker to the last.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "exif.h"
#include "header.h"
#include "jpeg_segments.h"

namespace maskrt::image {
namespace {

// What APP1 segments begin with.
constexpr std::string_view kExifName{"Exif\0\0", 6}, kXmpName{"http://ns.adobe.com/xap/1.0/\0", 29};

/// What a decoder does in the scans of a frame, counted in visits of blocks of 8 x 8 coefficients. A scan may be all
/// but empty and its blocks are visited all the same, so that the work is the number of scans times the number of
/// blocks.
class ScanWork {
 public:
  /// `segment` is that of a frame whose sizes have been read; `dense` that a block takes a bit or more of each scan.
  void start(Bytes segment, const Header& header, bool dense) {
    dense_ = dense;
    size_ = std::to_string(header.width) + " x " + std::to_string(header.height) + " pixels";
    components_ = {};
    const std::size_t count = std::min<std::size_t>(byte_at(segment, 5), (segment.size() - 6) / 3);
    std::int64_t most_across = 1, most_down = 1;
    for (std::size_t i = 0; i < std::min(count, components_.size()); ++i) {
      Component& component = components_[i];
      component = {byte_at(segment, 6 + 3 * i), byte_at(segment, 7 + 3 * i) >> 4, byte_at(segment, 7 + 3 * i) & 15};
      most_across = std::max(most_across, component.across);
      most_down = std::max(most_down, component.down);
    }
    for (Component& component : components_) {
      const std::int64_t units = (header.width + 8 * most_across - 1) / (8 * most_across) *
                                 ((header.height + 8 * most_down - 1) / (8 * most_down));
      component.blocks = units * component.across * component.down;
    }
  }

  /// Throws Error where there is more to do than there is reason for in a file of that size. A block takes two bits or
  /// more of a sequential scan. Progressive scans code thousands of empty blocks in some bits, but a real file has ten
  /// of them, and its first takes a bit a block.
  void add(Bytes segment, std::size_t file_size) {
    const std::int64_t most = dense_ ? (1 << 20) + 4 * static_cast<std::int64_t>(file_size)
                                     : (1 << 23) + 8 * static_cast<std::int64_t>(file_size);
    const std::size_t count = segment.empty() ? 0 : byte_at(segment, 0);
    for (std::size_t i = 0; i < count && 2 * i + 2 < segment.size(); ++i)
      for (const Component& component : components_)
        if (component.id == byte_at(segment, 1 + 2 * i)) visited_ += component.blocks;
    ++scans_;
    if (visited_ <= most) return;
    throw Error("expected JPEG scans that visit at most " + std::to_string(most) + " blocks in a file of " +
                std::to_string(file_size) + " bytes, found " + std::to_string(visited_) + " of " + size_ +
                " in the first " + std::to_string(scans_) + (scans_ == 1 ? " scan" : " scans"));
  }

 private:
  struct Component {
    std::uint32_t id = 256;             // no component has this id
    std::int64_t across = 0, down = 0;  ///< sampling factors
    std::int64_t blocks = 0;
  };
  std::array<Component, 4> components_;
  std::int64_t visited_ = 0;
  int scans_ = 0;
  std::string size_;  ///< for messages
  bool dense_ = false;
};

void read_frame(std::uint32_t marker, Bytes segment, Header& header) {
  if (header.width != 0) throw Error("expected one frame in the JPEG file, found a second");
  if (marker > sof2 && marker != sof9 && marker != sof10)
    throw Error("expected a baseline or progressive JPEG, found a lossless or hierarchical one");
  if (segment.size() < 6) throw Error("expected a JPEG frame header of 6 bytes or more, found a shorter one");
  if (byte_at(segment, 0) != 8) {
    throw Error("expected a JPEG of 8 bits a sample, found " + std::to_string(byte_at(segment, 0)));
  }
  header.height = big16(segment, 1);
  header.width = big16(segment, 3);
  check_size(header.width, header.height);
  const std::uint32_t components = byte_at(segment, 5);
  if (components != 1 && components != 3 && components != 4)
    throw Error("expected a JPEG of 1, 3 or 4 components, found " + std::to_string(components));
  if (marker > sof2) header.needs_library = "an arithmetic-coded JPEG";
}

/// A table has at most 256 symbols; decoders write as many as its counts say.
void check_huffman_tables(Bytes segment) {
  while (!segment.empty()) {
    std::size_t symbols = 0;
    if (segment.size() >= 17) {
      for (std::size_t i = 1; i <= 16; ++i) symbols += byte_at(segment, i);
    }
    if (segment.size() < 17 + symbols || symbols > 256) {
      throw Error("expected JPEG Huffman tables of at most 256 symbols, found a damaged one");
    }
    segment = segment.subspan(17 + symbols);
  }
}

}  // namespace

Header read_jpeg_header(Bytes file) {
  Header header;
  header.container = Container::jpeg;
  ScanWork work;
  bool scan_seen = false;
  Bytes exif, xmp;
  JpegSegments segments(file);
  while (const auto segment = segments.next()) {
    const Bytes content = segment->content;
    if (is_jpeg_frame(segment->marker)) {
      read_frame(segment->marker, content, header);
      work.start(content, header, segment->marker <= sof1);
    } else if (segment->marker == dht) {
      check_huffman_tables(content);
    } else if (segment->marker == app1 && !scan_seen) {
      // Of several the first EXIF block counts (what follows in others is beyond its first directory), and the last
      // XMP.
      if (starts_with(content, kExifName) && exif.size() <= kExifName.size()) exif = content;
      if (starts_with(content, kXmpName)) xmp = content.subspan(kXmpName.size());
    } else if (segment->marker == sos) {
      if (header.width == 0) throw Error("expected a JPEG frame header before the first scan, found none");
      scan_seen = true;
      work.add(content, file.size());
    }
  }
  if (!segments.ended()) throw Error("the JPEG file is truncated: it ends before its end-of-image marker");
  if (!scan_seen) throw Error("expected a scan in the JPEG file, found none");
  header.orientation = orientation_of(exif, xmp);
  // One bit of Huffman codes is no more than one block of 8 x 8 samples of the first component, so a file has a least
  // size.
  constexpr std::int64_t most_pixels_a_byte = 8 * 64;
  if (header.needs_library.empty() &&
      header.width * header.height / most_pixels_a_byte > static_cast<std::int64_t>(file.size())) {
    throw Error("the JPEG file is truncated or damaged: " + std::to_string(file.size()) + " bytes cannot hold " +
                std::to_string(header.width) + " x " + std::to_string(header.height) + " pixels");
  }
  check_expansion(header, header.width * header.height, file.size());
  // Planes and coefficients (3 bytes a sample) of 4 components padded to whole blocks of 32, and the output.
  const auto padded = static_cast<std::size_t>((header.width + 63) * (header.height + 63));
  header.decoder_memory = 20 * padded + (std::size_t{1} << 20);
  return header;
}

}  // namespace maskrt::image
