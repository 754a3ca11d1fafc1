// PNG files as sequences of chunks.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace maskrt::image {

/// A PNG file that is made chunk by chunk, between its first bytes and its end.
class PngFile {
 public:
  /// `bits` and `type` as in IHDR.
  PngFile(int width, int height, int bits, int type);
  /// A chunk whose data `fill(bytes)` appends.
  template <typename Fill>
  void chunk(std::string_view type, const Fill& fill) {
    const std::size_t start = begin_chunk(type);
    fill(bytes_);
    end_chunk(start);
  }
  std::vector<std::byte> finish();

 private:
  std::size_t begin_chunk(std::string_view type);
  void end_chunk(std::size_t start);

  std::vector<std::byte> bytes_;
};

}  // namespace maskrt::image
