// The public Mask: bits, and the forms made from them when asked for.
#include "mask.h"

#include "rle.h"
#include "runtime/support/public_call.h"

namespace maskrt {

Mask::Mask() = default;
Mask::Mask(std::shared_ptr<const Data> data) : data_(std::move(data)) {}

const Mask::Data& Mask::data() const {
  static const Data empty;
  return data_ != nullptr ? *data_ : empty;
}

const kernels::MaskBits& Mask::Data::bits() const {
  std::call_once(unpacked_, [this] {
    if (runs_) bits_ = {width_, height_, (height_ + 63) / 64, rle::to_bits(*runs_)};
  });
  return bits_;
}

Rle Mask::Data::rle() const {
  return {height_, width_,
          runs_ ? rle::to_string(*runs_) : rle::string_from_bits(height_, width_, bits_.words, bits_.words_per_column)};
}

int Mask::width() const { return data().width(); }
int Mask::height() const { return data().height(); }
std::int64_t Mask::area() const { return data().area(); }
std::span<const std::uint64_t> Mask::bits() const {
  return public_call("mask", [this] { return std::span<const std::uint64_t>(data().bits().words); });
}
int Mask::words_per_column() const { return (data().height() + 63) / 64; }
Rle Mask::rle() const {
  return public_call("mask", [this] { return data().rle(); });
}

bool Mask::at(int x, int y) const {
  const kernels::MaskBits& m = public_call("mask", [this]() -> const kernels::MaskBits& { return data().bits(); });
  if (x < 0 || y < 0 || x >= m.width || y >= m.height) return false;
  return (m.words[static_cast<std::size_t>(x) * m.words_per_column + y / 64] >> (y % 64) & 1) != 0;
}

std::vector<std::vector<Point>> Mask::polygon() const {
  return public_call("mask", [this] { return outlines(data().bits()); });
}

std::vector<std::uint8_t> Mask::bitmap() const {
  return public_call("mask", [this] {
    const kernels::MaskBits& m = data().bits();
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(m.width) * m.height);
    // Rows in groups of a word's: what is written to then fits into the first cache, column after column.
    for (int top = 0; top < m.height; top += 64) {
      const int rows = std::min(64, m.height - top);
      for (int x = 0; x < m.width; ++x) {
        std::uint64_t word = m.words[static_cast<std::size_t>(x) * m.words_per_column + top / 64];
        std::uint8_t* byte = &bytes[static_cast<std::size_t>(top) * m.width + x];
        for (int y = 0; y < rows; ++y, word >>= 1, byte += m.width) *byte = word & 1;
      }
    }
    return bytes;
  });
}

}  // namespace maskrt
