#include "mask_png.h"

#include <cstdint>
#include <cstring>

#include "runtime/image/png_file.h"
#include "runtime/image/png_runs.h"

namespace maskrt::cli {
namespace {

/// Calls run(value, length) for the file's bytes: each row is 0, its filter, and its pixels. Neighbouring runs differ.
template <typename Run>
void for_each_run(const Mask& mask, const Run& run) {
  const std::vector<std::uint8_t> bitmap = mask.bitmap();
  const auto width = static_cast<std::size_t>(mask.width());
  std::uint8_t value = 0;
  std::int64_t length = 0;
  for (std::size_t y = 0; y < static_cast<std::size_t>(mask.height()); ++y) {
    const std::uint8_t* const row = bitmap.data() + y * width;
    if (value != 0) {
      run(std::uint8_t{255}, length);
      value = 0;
      length = 0;
    }
    ++length;
    for (std::size_t x = 0; x < width;) {
      const void* const other = std::memchr(row + x, value == 0 ? 1 : 0, width - x);
      const std::size_t end =
          other == nullptr ? width : static_cast<std::size_t>(static_cast<const std::uint8_t*>(other) - row);
      length += static_cast<std::int64_t>(end - x);
      x = end;
      if (x == width) break;
      run(value == 0 ? std::uint8_t{0} : std::uint8_t{255}, length);
      value = value == 0 ? 1 : 0;
      length = 0;
    }
  }
  if (length > 0) run(value == 0 ? std::uint8_t{0} : std::uint8_t{255}, length);
}

}  // namespace

std::vector<std::byte> encode_mask(const Mask& mask) {
  image::PngFile file(mask.width(), mask.height(), 8, 0);  // 8-bit grey
  file.chunk("IDAT", [&](std::vector<std::byte>& out) {
    image::RunDeflate deflate(out);
    for_each_run(mask, [&](std::uint8_t value, std::int64_t length) { deflate.run(value, length); });
    deflate.finish();
  });
  return file.finish();
}

}  // namespace maskrt::cli
