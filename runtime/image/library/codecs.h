// The formats of libmaskrt_images.so, one function each. They are C++ that throws nothing and, because the libraries
// below leave by longjmp, holds nothing that would need a destructor while one of them runs.
#pragma once

#include <cstdarg>
#include <cstdio>

#include "runtime/image/image_library.h"

namespace maskrt::image_library {

int decode_jpeg(const MaskrtEncodedImage& image, const MaskrtPixels& pixels, MaskrtReason& reason);
int decode_png(const MaskrtEncodedImage& image, const MaskrtPixels& pixels, MaskrtReason& reason);
int decode_webp(const MaskrtEncodedImage& image, const MaskrtPixels& pixels, MaskrtReason& reason);
int decode_tiff(const MaskrtEncodedImage& image, const MaskrtPixels& pixels, MaskrtReason& reason);

int encode_jpeg(const MaskrtPixels& pixels, int quality, std::uint32_t subsampling, MaskrtFile& file,
                MaskrtReason& reason);
int encode_png(const MaskrtPixels& pixels, int compression, MaskrtFile& file, MaskrtReason& reason);

/// Writes the reason as printf does, cut to what fits; returns 0, a failed call's result.
[[gnu::format(printf, 2, 3)]] inline int fail(MaskrtReason& reason, const char* format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(reason.text, sizeof reason.text, format, arguments);
  va_end(arguments);
  return 0;
}

/// Row `y` of the pixels.
inline std::uint8_t* row_of(const MaskrtPixels& pixels, std::size_t y) {
  return pixels.rgb + static_cast<std::ptrdiff_t>(y) * pixels.row_stride;
}

/// The error of a decoder that found other sizes than the header parser.
inline int wrong_size(MaskrtReason& reason, const MaskrtPixels& want, unsigned width, unsigned height) {
  return fail(reason, "expected %u x %u pixels, the decoder found %u x %u", want.width, want.height, width, height);
}

}  // namespace maskrt::image_library
