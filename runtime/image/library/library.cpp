// What libmaskrt_images.so exports.
#include <cstdlib>

#include "codecs.h"

namespace maskrt::image_library {
namespace {

constexpr MaskrtImageLibrary kLibrary = {
    MASKRT_IMAGE_LIBRARY_VERSION,
    [](const MaskrtEncodedImage* image, const MaskrtPixels* pixels, MaskrtReason* reason) {
      if (image->width != pixels->width || image->height != pixels->height)
        return wrong_size(*reason, *pixels, image->width, image->height);
      switch (image->format) {
        case MASKRT_IMAGE_JPEG:
          return decode_jpeg(*image, *pixels, *reason);
        case MASKRT_IMAGE_PNG:
          return decode_png(*image, *pixels, *reason);
        case MASKRT_IMAGE_WEBP:
          return decode_webp(*image, *pixels, *reason);
        case MASKRT_IMAGE_TIFF:
          return decode_tiff(*image, *pixels, *reason);
        default:
          return fail(*reason, "expected a JPEG, PNG, WebP or TIFF picture, found format %u", image->format);
      }
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
  return version == MASKRT_IMAGE_LIBRARY_VERSION ? &maskrt::image_library::kLibrary : nullptr;
}
