// PBM, PGM and PPM (P1 to P6): a header in text, then bits or samples, as text or in one or two bytes.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "header.h"
#include "own_decoders.h"

namespace maskrt::image {
namespace {

/// Numbers between blanks and comments, which last from '#' to the end of the line.
class Text {
 public:
  Text(Bytes file, std::size_t offset) : file_(file), offset_(offset) {}

  std::int64_t number(const char* what) {
    skip_space();
    constexpr std::int64_t largest = std::int64_t{1} << 40;
    std::int64_t value = 0;
    const std::size_t start = offset_;
    for (; offset_ < file_.size() && is_digit(); ++offset_) {
      value = value * 10 + byte_at(file_, offset_) - '0';
      if (value > largest) break;
    }
    if (offset_ == start || value > largest) throw wrong(what, start);
    return value;
  }
  /// One digit of a plain PBM file, which needs no blanks around it: 1 is black.
  bool black() {
    skip_space();
    if (offset_ == file_.size() || (byte_at(file_, offset_) != '0' && byte_at(file_, offset_) != '1'))
      throw wrong("0 or 1", offset_);
    return byte_at(file_, offset_++) == '1';
  }
  std::size_t offset() const { return offset_; }

 private:
  Error wrong(const char* what, std::size_t at) const {
    if (at >= file_.size()) return Error(std::string("the PNM file is truncated: it ends before the ") + what);
    return Error(std::string("expected the ") + what + " in the PNM file, found other text at byte " +
                 std::to_string(at));
  }
  bool is_digit() const { return byte_at(file_, offset_) >= '0' && byte_at(file_, offset_) <= '9'; }
  bool is_space() const {
    const std::uint8_t c = byte_at(file_, offset_);
    return c == ' ' || (c >= '\t' && c <= '\r');
  }
  void skip_space() {
    for (bool comment = false; offset_ < file_.size(); ++offset_) {
      const std::uint8_t c = byte_at(file_, offset_);
      if (comment) {
        comment = c != '\n' && c != '\r';
      } else if (c == '#') {
        comment = true;
      } else if (!is_space()) {
        return;
      }
    }
  }

  Bytes file_;
  std::size_t offset_;
};

struct Layout {
  std::int64_t width = 0, height = 0, maximum = 1;
  std::size_t channels = 1;
  bool plain = false, bits = false;
  std::size_t samples = 0;  ///< offset of the first

  std::size_t sample_bytes() const { return maximum > 255 ? 2 : 1; }
  /// Bytes of all samples, raw; plain ones take at least as many, a digit each.
  std::size_t least_bytes() const {
    const auto rows = static_cast<std::size_t>(height), columns = static_cast<std::size_t>(width);
    if (bits) return plain ? rows * columns : rows * ((columns + 7) / 8);
    return rows * columns * channels * (plain ? 1 : sample_bytes());
  }
};

Layout read_layout(Bytes file) {
  const std::uint8_t kind = byte_at(file, 1);
  Text text(file, 2);
  Layout layout;
  layout.plain = kind <= '3';
  layout.bits = kind == '1' || kind == '4';
  layout.channels = kind == '3' || kind == '6' ? 3 : 1;
  layout.width = text.number("width");
  layout.height = text.number("height");
  if (!layout.bits) layout.maximum = text.number("largest value");
  layout.samples = text.offset() + 1;  // exactly one blank
  return layout;
}

/// Samples from 0 to the largest value, made 0 to 255 and rounded as Python does, halves to even numbers.
class Scale {
 public:
  explicit Scale(const Layout& layout) : maximum_(static_cast<std::uint32_t>(layout.maximum)) {
    if (maximum_ > 255) return;
    small_.resize(256, 255);
    for (std::uint32_t value = 0; value <= maximum_; ++value) small_[value] = rounded(value);
  }
  std::uint8_t operator()(std::uint32_t value) const {
    return small_.empty() ? rounded(std::min(value, maximum_)) : small_[value];
  }
  std::uint32_t maximum() const { return maximum_; }

 private:
  std::uint8_t rounded(std::uint32_t value) const {
    return static_cast<std::uint8_t>(std::nearbyint(double(value) / maximum_ * 255));
  }

  std::uint32_t maximum_;
  std::vector<std::uint8_t> small_;
};

void put_grey(std::uint8_t value, std::uint8_t* rgb) { rgb[0] = rgb[1] = rgb[2] = value; }

void decode_bits(Bytes file, const Layout& layout, std::uint8_t* rgb) {
  const auto width = static_cast<std::size_t>(layout.width), height = static_cast<std::size_t>(layout.height);
  Text text(file, layout.samples);
  for (std::size_t y = 0; y < height; ++y) {
    const std::size_t row = layout.samples + y * ((width + 7) / 8);
    for (std::size_t x = 0; x < width; ++x, rgb += 3) {
      const bool black = layout.plain ? text.black() : (byte_at(file, row + x / 8) >> (7 - x % 8) & 1) != 0;
      put_grey(black ? 0 : 255, rgb);
    }
  }
}

}  // namespace

Header read_pnm_header(Bytes file) {
  const Layout layout = read_layout(file);
  check_size(layout.width, layout.height);
  if (layout.maximum < 1 || layout.maximum > 65535) {
    throw Error("expected a largest value of 1 to 65535 in the PNM header, found " + std::to_string(layout.maximum));
  }
  if (!has(file, layout.samples, layout.least_bytes())) {
    throw Error("the PNM file is truncated: expected " + std::to_string(layout.least_bytes()) +
                " bytes of pixels or more, found " +
                std::to_string(file.size() - std::min(file.size(), layout.samples)));
  }
  Header header;
  header.container = Container::pnm;
  header.width = layout.width;
  header.height = layout.height;
  return header;
}

void decode_pnm(Bytes file, std::uint8_t* rgb) {
  const Layout layout = read_layout(file);
  if (layout.bits) return decode_bits(file, layout, rgb);
  const std::size_t samples = static_cast<std::size_t>(layout.width * layout.height) * layout.channels;
  const Scale scale(layout);
  Text text(file, layout.samples);
  for (std::size_t i = 0; i < samples; ++i) {
    std::uint32_t value = 0;
    if (layout.plain) {
      const std::int64_t number = text.number("next sample");
      if (number > scale.maximum())
        throw Error("expected samples of at most " + std::to_string(scale.maximum()) + " in the PNM file, found " +
                    std::to_string(number));
      value = static_cast<std::uint32_t>(number);
    } else {
      value = layout.sample_bytes() == 2 ? big16(file, layout.samples + 2 * i) : byte_at(file, layout.samples + i);
    }
    if (layout.channels == 3)
      rgb[i] = scale(value);
    else
      put_grey(scale(value), rgb + 3 * i);
  }
}

}  // namespace maskrt::image
