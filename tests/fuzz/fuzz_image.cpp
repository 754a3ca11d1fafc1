// Pictures of all formats with EXIF and XMP, by the decoders of libmaskrt_images.so and by libmaskrt alone.
#include "runtime/image/decode.h"
#include "runtime/image/exif.h"
#include "target.h"

#if MASKRT_IMAGES
extern "C" const MaskrtImageLibrary* maskrt_image_library(std::uint32_t version);
#endif

namespace {

using namespace maskrt;

void read(image::Bytes file, const MaskrtImageLibrary* library) {
  const image::Header header = image::read_header(file);
  if (library == nullptr && !header.needs_library.empty()) return;
  // Instrumented decoders are a hundred times slower: larger pictures would only take time from others.
  constexpr std::int64_t kMostPixels = 1 << 21;
  if (header.width * header.height > kMostPixels) return;
  const auto rgb = image::decode(file, header, library);
  const std::size_t size = static_cast<std::size_t>(header.width * header.height) * 3;
  fuzz::require(rgb.get()[0] + rgb.get()[size - 1] <= 510, "pixels are bytes");
  if (header.orientation == 1) return;
  const image::Raster upright =
      image::oriented(rgb.get(), static_cast<int>(header.width), static_cast<int>(header.height), header.orientation);
  fuzz::require(upright.pixels.size() == size, "a turned picture has as many pixels");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const image::Bytes file = std::as_bytes(std::span(data, size));
  fuzz::answered([&] { read(file, nullptr); });
#if MASKRT_IMAGES
  fuzz::answered([&] { read(file, maskrt_image_library(MASKRT_IMAGE_LIBRARY_VERSION)); });
#endif
  return 0;
}
