// libmaskrt_images.so, opened on first use where it is there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "image_library.h"

namespace maskrt::image {

/// The library, or null where it is not there or MASKRT_IMAGES is "none". It lies beside libmaskrt.so or this program,
/// in lib/ beside bin/, where the loader looks, or where MASKRT_IMAGES says; it stays open for the life of the process.
/// Throws Error for a library of another version, and for one that MASKRT_IMAGES names and that cannot be opened.
/// Thread-safe.
const MaskrtImageLibrary* image_library();

/// Why image_library() is null: a part of a sentence.
std::string why_no_image_library();

/// A JPEG file of 8-bit RGB pixels, rows `row_stride` bytes apart; `quality` is libjpeg's, 1 to 100. Throws Error where
/// encoding fails, and where there is no library. Thread-safe.
std::vector<std::byte> encode_jpeg(const std::uint8_t* rgb, int width, int height, std::ptrdiff_t row_stride,
                                   int quality, MaskrtSubsampling subsampling);

/// A PNG file of 8-bit RGB pixels; `compression` is zlib's level, 0 to 9. Errors as above.
std::vector<std::byte> encode_png(const std::uint8_t* rgb, int width, int height, std::ptrdiff_t row_stride,
                                  int compression);

}  // namespace maskrt::image
