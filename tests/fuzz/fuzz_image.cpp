// Pictures: JPEG, PNG, BMP and PNM with EXIF and XMP.
#include "maskrt/maskrt.hpp"
#include "target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  maskrt::fuzz::answered([&] {
    const auto image = maskrt::Image::from_bytes(std::as_bytes(std::span(data, size)));
    unsigned sum = 0;
    for (int y = 0; y < image.height(); ++y)
      for (int x = 0; x < 3 * image.width(); ++x) sum += image.row(y)[x];
    maskrt::fuzz::require(
        sum <= 255u * 3 * static_cast<unsigned>(image.width()) * static_cast<unsigned>(image.height()),
        "pixels are bytes");
  });
  return 0;
}
