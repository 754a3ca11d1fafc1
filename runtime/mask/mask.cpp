// The public Mask: bits, and the forms made from them when asked for.
#include "mask.h"

#include "rle.h"

namespace maskrt {

Mask::Mask() {
  static const auto empty = std::make_shared<const Data>();
  data_ = empty;
}

Mask::Mask(std::shared_ptr<const Data> data) : data_(std::move(data)) {}

int Mask::width() const { return data_->bits.width; }
int Mask::height() const { return data_->bits.height; }
std::int64_t Mask::area() const { return data_->area; }
std::span<const std::uint64_t> Mask::bits() const { return data_->bits.words; }
int Mask::words_per_column() const { return data_->bits.words_per_column; }

bool Mask::at(int x, int y) const {
  const kernels::MaskBits& m = data_->bits;
  if (x < 0 || y < 0 || x >= m.width || y >= m.height) return false;
  return (m.words[static_cast<std::size_t>(x) * m.words_per_column + y / 64] >> (y % 64) & 1) != 0;
}

Rle Mask::rle() const {
  const kernels::MaskBits& m = data_->bits;
  return {m.height, m.width, rle::string_from_bits(m.height, m.width, m.words, m.words_per_column)};
}

std::vector<std::vector<Point>> Mask::polygon() const { return outlines(data_->bits); }

std::vector<std::uint8_t> Mask::bitmap() const {
  const kernels::MaskBits& m = data_->bits;
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(m.width) * m.height);
  for (int x = 0; x < m.width; ++x) {
    for (int y = 0; y < m.height; ++y) {
      bytes[static_cast<std::size_t>(y) * m.width + x] =
          m.words[static_cast<std::size_t>(x) * m.words_per_column + y / 64] >> (y % 64) & 1;
    }
  }
  return bytes;
}

}  // namespace maskrt
