// The C interface of libmaskrt_images.so, which decodes and encodes pictures with libjpeg-turbo, libpng, libwebp and
// libtiff. libmaskrt and the command open it where it is installed; neither is linked to it. Structs of numbers and
// pointers alone cross the border: no exceptions, no C++ types, and no memory that one side takes and the other frees,
// but for what `release` is there for.
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" {

/// Raised with every change of what follows.
enum : std::uint32_t { MASKRT_IMAGE_LIBRARY_VERSION = 1 };

enum MaskrtImageFormat : std::uint32_t {
  MASKRT_IMAGE_JPEG = 0,
  MASKRT_IMAGE_PNG = 1,
  MASKRT_IMAGE_WEBP = 2,
  MASKRT_IMAGE_TIFF = 3
};

/// A picture to be decoded. The caller has walked its structure and knows how large it is.
struct MaskrtEncodedImage {
  const std::uint8_t* bytes;
  std::size_t size;
  std::uint32_t format;         ///< a MaskrtImageFormat
  std::uint32_t width, height;  ///< in pixels, as the picture is stored: no orientation is applied
  std::size_t memory;           ///< bytes that a decoder may take beside the output, where it can be told
};

/// 8-bit RGB in the caller's memory.
struct MaskrtPixels {
  std::uint8_t* rgb;            ///< address of the top left pixel; encoders only read
  std::uint32_t width, height;  ///< in pixels
  std::ptrdiff_t row_stride;    ///< bytes from row to row
};

/// Chroma of JPEG files: as many samples as luma, half as many across, or half as many across and down.
enum MaskrtSubsampling : std::uint32_t {
  MASKRT_SUBSAMPLING_444 = 0,
  MASKRT_SUBSAMPLING_422 = 1,
  MASKRT_SUBSAMPLING_420 = 2
};

/// An encoded file, the library's memory until `release`.
struct MaskrtFile {
  std::uint8_t* bytes;
  std::size_t size;
};

/// Why a call failed: one sentence, ended by 0.
struct MaskrtReason {
  char text[256];
};

/// All functions may be called from several threads at once. Those that return int return 1, or 0 with a reason.
struct MaskrtImageLibrary {
  std::uint32_t version;
  /// Fills all rows of `pixels`, which are as many and as long as the picture's, as Pillow's convert("RGB") has them.
  int (*decode)(const MaskrtEncodedImage* image, const MaskrtPixels* pixels, MaskrtReason* reason);
  /// A baseline JPEG file with JFIF marker; `quality` is libjpeg's, 1 to 100, `subsampling` a MaskrtSubsampling.
  int (*encode_jpeg)(const MaskrtPixels* pixels, int quality, std::uint32_t subsampling, MaskrtFile* file,
                     MaskrtReason* reason);
  /// An 8-bit RGB PNG file; `compression` is zlib's level, 0 to 9.
  int (*encode_png)(const MaskrtPixels* pixels, int compression, MaskrtFile* file, MaskrtReason* reason);
  /// Frees what an encoder returned; bytes may be null.
  void (*release)(MaskrtFile* file);
};

/// What the library exports as "maskrt_image_library": its functions, or null for a version that it does not have.
typedef const MaskrtImageLibrary* (*MaskrtImageLibraryOpen)(std::uint32_t version);
}
