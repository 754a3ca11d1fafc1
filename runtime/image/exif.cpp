// Which way up a picture is, and pictures turned by it.
#include "exif.h"

#include <array>
#include <string_view>
#include <utility>

namespace maskrt::image {
namespace {

constexpr std::string_view kExifPrefix{"Exif\0\0", 6};

/// Bytes of one value of a TIFF type; 0 where there is no such type.
std::size_t value_size(std::uint32_t type) {
  constexpr std::array<std::uint8_t, 14> sizes = {0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4};
  return type < sizes.size() ? sizes[type] : 0;
}

int checked(std::uint32_t orientation) {
  return orientation >= 1 && orientation <= 8 ? static_cast<int>(orientation) : 1;
}

/// Numbers of one byte order.
struct Order {
  bool little = true;
  std::uint32_t read16(Bytes bytes, std::size_t i) const { return little ? little16(bytes, i) : big16(bytes, i); }
  std::uint32_t read32(Bytes bytes, std::size_t i) const { return little ? little32(bytes, i) : big32(bytes, i); }

  /// The first number of a value; 0 for types that Pillow does not take for numbers, bytes among them.
  std::uint32_t number(std::uint32_t type, Bytes value) const {
    enum Type : std::uint32_t {
      short_type = 3,
      long_type,
      signed_byte = 6,
      signed_short = 8,
      signed_long,
      directory = 13
    };
    switch (type) {
      case short_type:
      case signed_short:
        return read16(value, 0);
      case long_type:
      case signed_long:
      case directory:
        return read32(value, 0);
      case signed_byte:
        return byte_at(value, 0);
      default:
        return 0;
    }
  }
};

}  // namespace

std::optional<int> exif_orientation(Bytes exif) {
  constexpr std::uint32_t orientation_tag = 0x0112, magic = 42, swapped_magic = 42 << 8;
  constexpr std::size_t header_size = 8, entry_size = 12, most_in_entry = 4;
  for (int i = 0; i < 2 && starts_with(exif, kExifPrefix); ++i) exif = exif.subspan(kExifPrefix.size());
  if (exif.empty()) return std::nullopt;
  const Order order{starts_with(exif, "II")};
  if ((!order.little && !starts_with(exif, "MM")) || !has(exif, 0, header_size)) return 1;
  if (const std::uint32_t found = order.read16(exif, 2); found != magic && found != swapped_magic) return 1;

  const std::size_t directory = order.read32(exif, 4);
  if (!has(exif, directory, 2)) return std::nullopt;
  const std::size_t entries = order.read16(exif, directory);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + entry_size * i;
    if (!has(exif, entry, entry_size)) break;
    const std::uint32_t type = order.read16(exif, entry + 2);
    const std::size_t size = value_size(type) * order.read32(exif, entry + 4);
    if (size == 0) continue;
    const std::size_t at = size <= most_in_entry ? entry + 8 : order.read32(exif, entry + 8);
    if (!has(exif, at, size)) break;
    if (order.read16(exif, entry) == orientation_tag) return checked(order.number(type, exif.subspan(at, size)));
  }
  return std::nullopt;
}

std::optional<int> xmp_orientation(Bytes xmp) {
  const std::string_view text(reinterpret_cast<const char*>(xmp.data()), xmp.size());
  constexpr std::string_view name = "tiff:Orientation";
  for (std::size_t at = text.find(name); at != text.npos; at = text.find(name, at + 1)) {
    std::string_view rest = text.substr(at + name.size());
    if (rest.starts_with("=\"")) {
      rest.remove_prefix(2);
    } else if (rest.starts_with(">")) {
      rest.remove_prefix(1);
    } else {
      continue;
    }
    if (!rest.empty() && rest[0] >= '0' && rest[0] <= '9') return checked(static_cast<std::uint32_t>(rest[0] - '0'));
  }
  return std::nullopt;
}

int orientation_of(Bytes exif, Bytes xmp) {
  if (const auto orientation = exif_orientation(exif)) return *orientation;
  return xmp_orientation(xmp).value_or(1);
}

Raster oriented(const std::uint8_t* rgb, int width, int height, int orientation) {
  const bool transposed = orientation >= 5 && orientation <= 8;
  // Where the output's first row and column come from: the far end of the source's axes or the near one.
  const bool from_right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool from_bottom = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  Raster out{width, height, std::vector<std::uint8_t>(static_cast<std::size_t>(width) * height * 3)};
  if (transposed) std::swap(out.width, out.height);
  const std::ptrdiff_t row = static_cast<std::ptrdiff_t>(width) * 3;
  const std::uint8_t* first = rgb + (from_bottom ? row * (height - 1) : 0) + (from_right ? row - 3 : 0);
  const std::ptrdiff_t step_x = from_right ? -3 : 3, step_y = from_bottom ? -row : row;
  std::uint8_t* to = out.pixels.data();
  for (int y = 0; y < out.height; ++y) {
    const std::uint8_t* from = first + (transposed ? step_x : step_y) * y;
    for (int x = 0; x < out.width; ++x, from += transposed ? step_y : step_x, to += 3) {
      to[0] = from[0];
      to[1] = from[1];
      to[2] = from[2];
    }
  }
  return out;
}

}  // namespace maskrt::image
