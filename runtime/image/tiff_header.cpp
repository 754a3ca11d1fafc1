// The first directory of a TIFF file.
#include <algorithm>
#include <string>

#include "exif.h"
#include "header.h"

namespace maskrt::image {
namespace {

enum Tag : std::uint32_t {
  new_subfile_type = 254,
  image_width = 256,
  image_length = 257,
  bits_per_sample = 258,
  strip_offsets = 273,
  orientation = 274,
  strip_byte_counts = 279,
  colour_map = 320,
  tile_offsets = 324,
  tile_byte_counts = 325,
  sub_directories = 330,
  xmp_packet = 700,
  dng_version = 50706,
};

/// Numbers of the file's byte order.
class Numbers {
 public:
  explicit Numbers(Bytes file) : file_(file), little_(starts_with(file, "II")) {}
  std::uint32_t read16(std::size_t i) const { return little_ ? little16(file_, i) : big16(file_, i); }
  std::uint32_t read32(std::size_t i) const { return little_ ? little32(file_, i) : big32(file_, i); }
  std::uint64_t read64(std::size_t i) const {
    const std::uint64_t first = read32(i), second = read32(i + 4);
    return little_ ? second << 32 | first : first << 32 | second;
  }

 private:
  Bytes file_;
  bool little_;
};

/// Bytes of one value of a type; 0 where there is no such type.
std::uint64_t value_size(std::uint32_t type) {
  constexpr std::uint8_t sizes[] = {0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8};
  return type < std::size(sizes) ? sizes[type] : 0;
}

/// An entry of a directory: classic TIFF counts in 32 bits, BigTIFF in 64.
struct Entry {
  std::uint32_t tag = 0, type = 0;
  std::uint64_t count = 0;
  std::size_t value = 0;  ///< where a value that fits into the entry lies
  std::uint64_t bytes = 0;
};

/// The first number, of a type that sizes and flags have; 0 for others.
std::uint64_t number(const Numbers& numbers, const Entry& entry) {
  constexpr std::uint32_t short_type = 3, long_type = 4, long8_type = 16;
  if (entry.count == 0) return 0;
  if (entry.type == short_type) return numbers.read16(entry.value);
  if (entry.type == long_type) return numbers.read32(entry.value);
  return entry.type == long8_type ? numbers.read64(entry.value) : 0;
}

}  // namespace

Header read_tiff_header(Bytes file) {
  Header header;
  header.container = Container::tiff;
  header.needs_library = "a TIFF picture";
  const Numbers numbers(file);
  const auto truncated = [] { return Error("the TIFF file is truncated: it ends before its first directory does"); };
  if (!has(file, 0, 16)) throw truncated();
  if (starts_with(file.subspan(8), "CR")) throw Error("expected a picture, found a camera's raw picture (CR2)");
  const bool big = numbers.read16(2) == 43;
  const std::uint64_t directory = big ? numbers.read64(8) : numbers.read32(4);
  const std::size_t count_size = big ? 8 : 2, entry_size = big ? 20 : 12, inline_size = big ? 8 : 4;
  if (!has(file, directory, count_size)) throw truncated();
  const std::uint64_t entries = big ? numbers.read64(directory) : numbers.read16(directory);
  // libtiff registers each tag that it does not know, in time that grows with their square.
  constexpr std::uint64_t most_entries = 1000;
  if (entries > most_entries)
    throw Error("expected a TIFF directory of at most " + std::to_string(most_entries) + " entries, found " +
                std::to_string(entries));
  if (!has(file, directory + count_size, entries * entry_size)) throw truncated();

  bool reduced = false, nested = false, has_orientation = false;
  std::uint64_t bytes = 0;
  Bytes xmp;
  for (std::uint64_t i = 0; i < entries; ++i) {
    const std::size_t at = directory + count_size + i * entry_size;
    Entry entry;
    entry.tag = numbers.read16(at);
    entry.type = numbers.read16(at + 2);
    entry.count = big ? numbers.read64(at + 4) : numbers.read32(at + 4);
    entry.value = at + (big ? 12 : 8);
    const bool possible = entry.count <= file.size();
    if (possible) entry.bytes = entry.count * value_size(entry.type);
    bytes += entry.bytes;  // libtiff refuses or passes over impossible ones
    const std::uint64_t at_value = entry.bytes <= inline_size ? entry.value
                                   : big                      ? numbers.read64(entry.value)
                                                              : numbers.read32(entry.value);
    const bool inside = possible && has(file, at_value, entry.bytes);
    switch (entry.tag) {
      case new_subfile_type:
        reduced = (number(numbers, entry) & 1) != 0;
        break;
      case image_width:
        header.width = static_cast<std::int64_t>(std::min<std::uint64_t>(number(numbers, entry), 0xffffffff));
        break;
      case image_length:
        header.height = static_cast<std::int64_t>(std::min<std::uint64_t>(number(numbers, entry), 0xffffffff));
        break;
      case orientation:
        if (const std::uint64_t value = number(numbers, entry); value >= 1 && value <= 8)
          header.orientation = static_cast<int>(value);
        has_orientation = true;
        break;
      case xmp_packet:
        if (inside) xmp = file.subspan(at_value, entry.bytes);
        break;
      case bits_per_sample:
      case strip_offsets:
      case strip_byte_counts:
      case colour_map:
      case tile_offsets:
      case tile_byte_counts:
        // libtiff does without some of these, and makes another picture of it.
        if (!inside) throw truncated();
        break;
      case sub_directories:
        nested = true;
        break;
      case dng_version:
        throw Error("expected a picture, found a camera's raw picture (DNG)");
      default:
        break;
    }
  }
  if (!has_orientation) header.orientation = xmp_orientation(xmp).value_or(1);
  // The first directory of NEF, ARW, PEF and others is a preview of what lies in nested ones.
  if (reduced && nested)
    throw Error("expected a picture, found a camera's raw picture behind a preview in TIFF's form");
  // Entries may share their values' bytes, and libtiff reads each for itself.
  if (bytes > 2 * file.size())
    throw Error("expected TIFF entries of at most twice the file's " + std::to_string(file.size()) + " bytes, found " +
                std::to_string(bytes));
  check_size(header.width, header.height);
  check_expansion(header, header.width * header.height, file.size());
  // libtiff's conversion takes 4 bytes a pixel, and blocks may be larger than the picture.
  header.decoder_memory =
      16 * static_cast<std::size_t>(header.width * header.height) + 2 * file.size() + (std::size_t{1} << 24);
  return header;
}

}  // namespace maskrt::image
