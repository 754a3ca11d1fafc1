// The segments of a JPEG file, walked from its first marker to its last.
#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <string_view>

#include "exif.h"
#include "header.h"

namespace maskrt::image {
namespace {

enum Marker : std::uint32_t {
  sof0 = 0xc0,
  sof2 = 0xc2,
  dht = 0xc4,
  jpg = 0xc8,
  dac = 0xcc,
  sof15 = 0xcf,
  rst0 = 0xd0,
  rst7 = 0xd7,
  eoi = 0xd9,
  sos = 0xda,
  app1 = 0xe1,
  tem = 0x01,
};

// What APP1 segments begin with.
constexpr std::string_view exif_name{"Exif\0\0", 6}, xmp_name{"http://ns.adobe.com/xap/1.0/\0", 29};

bool is_frame(std::uint32_t marker) {
  return marker >= sof0 && marker <= sof15 && marker != dht && marker != jpg && marker != dac;
}

bool stands_alone(std::uint32_t marker) { return marker == tem || (marker >= rst0 && marker <= rst7); }

/// What a decoder does in the scans of a frame, counted in visits of blocks of 8 x 8 coefficients. A scan may be all
/// but empty and its blocks are visited all the same, so that the work is the number of scans times the number of
/// blocks.
class ScanWork {
 public:
  /// `segment` is that of a frame whose sizes have been read.
  void start(Bytes segment, const Header& header, bool progressive) {
    progressive_ = progressive;
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
    const std::int64_t most = progressive_ ? (1 << 23) + 8 * static_cast<std::int64_t>(file_size)
                                           : (1 << 20) + 4 * static_cast<std::int64_t>(file_size);
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
    std::uint32_t id = 256;             // of no component
    std::int64_t across = 0, down = 0;  ///< sampling factors
    std::int64_t blocks = 0;
  };
  std::array<Component, 4> components_;
  std::int64_t visited_ = 0;
  int scans_ = 0;
  std::string size_;  ///< for messages
  bool progressive_ = false;
};

void read_frame(std::uint32_t marker, Bytes segment, Header& header) {
  if (header.width != 0) throw Error("expected one frame in the JPEG file, found a second");
  if (marker > sof2) throw Error("expected a baseline or progressive JPEG, found a lossless or arithmetic-coded one");
  if (segment.size() < 6) throw Error("expected a JPEG frame header of 6 bytes or more, found a shorter one");
  if (byte_at(segment, 0) != 8) {
    throw Error("expected a JPEG of 8 bits a sample, found " + std::to_string(byte_at(segment, 0)));
  }
  header.height = big16(segment, 1);
  header.width = big16(segment, 3);
  check_size(header.width, header.height);
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

/// The offset of the marker that ends the entropy-coded data from `offset` on, or the file's size.
std::size_t skip_entropy_coded(Bytes file, std::size_t offset) {
  while (offset + 1 < file.size()) {
    const void* found = std::memchr(file.data() + offset, 0xff, file.size() - 1 - offset);
    if (found == nullptr) break;
    offset = static_cast<std::size_t>(static_cast<const std::byte*>(found) - file.data());
    const std::uint32_t next = byte_at(file, offset + 1);
    if (next != 0 && next != 0xff && !(next >= rst0 && next <= rst7)) return offset;
    offset += next == 0xff ? 1 : 2;
  }
  return file.size();
}

}  // namespace

Header read_jpeg_header(Bytes file) {
  Header header;
  header.container = Container::jpeg;
  ScanWork work;
  bool scan_seen = false;
  Bytes exif, xmp;
  std::size_t offset = 2;
  for (;;) {
    while (has(file, offset, 2) && byte_at(file, offset) == 0xff && byte_at(file, offset + 1) == 0xff) ++offset;
    if (!has(file, offset, 2)) throw Error("the JPEG file is truncated: it ends before its end-of-image marker");
    if (byte_at(file, offset) != 0xff) {
      throw Error("expected a JPEG marker at byte " + std::to_string(offset) + ", found other data");
    }
    const std::uint32_t marker = byte_at(file, offset + 1);
    offset += 2;
    if (marker == eoi) break;
    if (stands_alone(marker)) continue;
    if (!has(file, offset, 2) || big16(file, offset) < 2 || !has(file, offset, big16(file, offset))) {
      throw Error("the JPEG file is truncated or damaged: the segment at byte " + std::to_string(offset - 2) +
                  " does not fit");
    }
    const std::size_t length = big16(file, offset);
    const Bytes segment = file.subspan(offset + 2, length - 2);
    offset += length;
    if (is_frame(marker)) {
      read_frame(marker, segment, header);
      work.start(segment, header, marker == sof2);
    } else if (marker == dht) {
      check_huffman_tables(segment);
    } else if (marker == app1 && !scan_seen) {
      // Of several the first EXIF block counts (what follows in others is beyond its first directory), and the last
      // XMP.
      if (starts_with(segment, exif_name) && exif.size() <= exif_name.size()) exif = segment;
      if (starts_with(segment, xmp_name)) xmp = segment.subspan(xmp_name.size());
    } else if (marker == sos) {
      if (header.width == 0) throw Error("expected a JPEG frame header before the first scan, found none");
      scan_seen = true;
      work.add(segment, file.size());
      offset = skip_entropy_coded(file, offset);
    }
  }
  if (!scan_seen) throw Error("expected a scan in the JPEG file, found none");
  header.orientation = orientation_of(exif, xmp);
  // One bit codes no more than one block of 8 x 8 samples of the first component, so a file has a least size.
  constexpr std::int64_t most_pixels_a_byte = 8 * 64;
  if (header.width * header.height / most_pixels_a_byte > static_cast<std::int64_t>(file.size())) {
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
