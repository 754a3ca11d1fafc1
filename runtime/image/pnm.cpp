// PGM and PPM (P5, P6): a header in text, then samples of one or two bytes.
#include "pnm.h"

#include <algorithm>
#include <string>

#include "header.h"

namespace maskrt::image {
namespace {

struct Layout {
  std::int64_t width = 0, height = 0, maximum = 0;
  int channels = 0;
  std::size_t samples = 0;  // offset of the first
  std::size_t sample_bytes() const { return maximum > 255 ? 2 : 1; }
};

class TextHeader {
 public:
  explicit TextHeader(Bytes file) : file_(file) {}

  std::int64_t number(const char* what) {
    skip_space();
    constexpr std::int64_t largest = std::int64_t{1} << 40;
    std::int64_t value = 0;
    const std::size_t start = offset_;
    for (; offset_ < file_.size() && is_digit(); ++offset_) {
      value = value * 10 + byte_at(file_, offset_) - '0';
      if (value > largest) break;
    }
    if (offset_ == start || offset_ == file_.size() || value > largest) {
      throw Error(std::string("expected the ") + what + " in the PNM header, found other text at byte " +
                  std::to_string(start));
    }
    return value;
  }
  std::size_t offset() const { return offset_; }

 private:
  bool is_digit() const { return byte_at(file_, offset_) >= '0' && byte_at(file_, offset_) <= '9'; }
  bool is_space() const {
    const std::uint8_t c = byte_at(file_, offset_);
    return c == ' ' || (c >= '\t' && c <= '\r');
  }
  /// Blanks, and comments from '#' to the end of the line.
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
  std::size_t offset_ = 2;
};

Layout read_layout(Bytes file) {
  TextHeader text(file);
  Layout layout;
  layout.channels = byte_at(file, 1) == '6' ? 3 : 1;
  layout.width = text.number("width");
  layout.height = text.number("height");
  layout.maximum = text.number("largest value");
  layout.samples = text.offset() + 1;  // exactly one blank
  return layout;
}

}  // namespace

Header read_pnm_header(Bytes file) {
  const Layout layout = read_layout(file);
  check_size(layout.width, layout.height);
  if (layout.maximum < 1 || layout.maximum > 65535) {
    throw Error("expected a largest value of 1 to 65535 in the PNM header, found " + std::to_string(layout.maximum));
  }
  const std::size_t needed =
      static_cast<std::size_t>(layout.width * layout.height * layout.channels) * layout.sample_bytes();
  if (!has(file, layout.samples, needed)) {
    throw Error("the PNM file is truncated: expected " + std::to_string(needed) + " bytes of pixels, found " +
                std::to_string(file.size() - std::min(file.size(), layout.samples)));
  }
  Header header;
  header.container = Container::pnm;
  header.width = layout.width;
  header.height = layout.height;
  return header;
}

std::vector<std::uint8_t> decode_pnm(Bytes file) {
  const Layout layout = read_layout(file);
  const std::size_t pixels = static_cast<std::size_t>(layout.width * layout.height);
  const auto channels = static_cast<std::size_t>(layout.channels);
  const auto maximum = static_cast<std::uint32_t>(layout.maximum);
  const auto sample = [&](std::size_t i) -> std::uint8_t {
    if (layout.sample_bytes() == 2) {
      const std::uint32_t value = std::min(maximum, big16(file, layout.samples + 2 * i));
      return static_cast<std::uint8_t>(value * 65535 / maximum >> 8);
    }
    const std::uint32_t value = std::min<std::uint32_t>(maximum, byte_at(file, layout.samples + i));
    return static_cast<std::uint8_t>((value * 255 + maximum / 2) / maximum);
  };
  std::vector<std::uint8_t> rgb(pixels * 3);
  for (std::size_t p = 0; p < pixels; ++p) {
    for (std::size_t c = 0; c < 3; ++c) rgb[3 * p + c] = sample(channels == 3 ? 3 * p + c : p);
  }
  return rgb;
}

}  // namespace maskrt::image
