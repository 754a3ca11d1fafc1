// What libmaskrt_images.so exports.
#include <cstdlib>

#include "codecs.h"

namespace maskrt::image_library {
namespace {

constexpr MaskrtImageLibrary library = {
    MASKRT_IMAGE_LIBRARY_VERSION,
    [](const MaskrtEncodedImage* image, const MaskrtPixels*, MaskrtReason* reason) {
      return fail(*reason, "expected a picture that this library decodes, found format %u", image->format);
    },
    [](const MaskrtPixels* pixels, int quality, std::uint32_t subsampling, MaskrtFile* file, MaskrtReason* reason) {
      return encode_jpeg(*pixels, quality, subsampling, *file, *reason);
    },
    [](const MaskrtPixels* pixels, int compression, MaskrtFile* file, MaskrtReason* reason) {
      return encode_png(*pixels, compression, *file, *reason);
    },
    [](MaskrtFile* file) {
      std::free(file->bytes);
      *file = {};
    }};

}  // namespace
}  // namespace maskrt::image_library

extern "C" __attribute__((visibility("default"))) const MaskrtImageLibrary* maskrt_image_library(
    std::uint32_t version) {
  return version == MASKRT_IMAGE_LIBRARY_VERSION ? &maskrt::image_library::library : nullptr;
}
