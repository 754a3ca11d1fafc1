// What an encoded picture says about itself, checked before a decoder is let near it.
#pragma once

#include <cstdint>
#include <string>

#include "byte_reader.h"
#include "maskrt/types.hpp"

namespace maskrt::image {

enum class Container : std::uint8_t { jpeg, png, bmp, pnm, gif, webp, tiff };

struct Header {
  Container container = Container::jpeg;
  std::int64_t width = 0, height = 0;
  int orientation = 1;             ///< EXIF's or XMP's, 1 to 8
  std::size_t decoder_memory = 0;  ///< bytes beyond which a decoder of this picture has gone wrong
  bool ended = true;  ///< false for a PNG that is cut off behind or in its pixels' data, which may still hold them all
  /// False for a PNG in which stb_image would read uninitialised memory: with fewer colours than its bits of index
  /// could name, or with an empty IDAT chunk.
  bool suits_stb = true;
  /// What kind of picture this is ("an arithmetic-coded JPEG") where libmaskrt by itself has no decoder for it.
  std::string needs_library;
};

/// The most pixels that a picture may have.
inline constexpr std::int64_t kMostPixels = std::int64_t{1} << 28;

/// Recognises the container by its first bytes and walks its structure to the end, so that what is truncated or
/// damaged where the format can tell is refused here, and memory never depends on what a header merely claims. Throws
/// Error: a reason without the file's name.
Header read_header(Bytes file);

// The walk over each container.
Header read_jpeg_header(Bytes file);
Header read_png_header(Bytes file);
Header read_bmp_header(Bytes file);
Header read_pnm_header(Bytes file);
Header read_gif_header(Bytes file);
Header read_webp_header(Bytes file);
Header read_tiff_header(Bytes file);

/// Throws Error unless 1 <= width, 1 <= height and their product is at most most_pixels.
void check_size(std::int64_t width, std::int64_t height);

/// Compressed pictures may expand a thousand times. Up to 2^26 pixels (of 4 bytes, where a format has more or less to
/// decode than a byte a channel) that is taken as it comes; larger pictures must have a byte of file for every 64
/// pixels, so that time and memory stay in proportion to the file. Throws Error.
void check_expansion(const Header& header, std::int64_t pixels, std::size_t file_size);

/// Describes a file that is none of the seven picture formats, by its first bytes: "a HEIC picture", "an HTML page", "a
/// Git LFS pointer, ...", or "other first bytes".
std::string other_format(Bytes file);

}  // namespace maskrt::image
