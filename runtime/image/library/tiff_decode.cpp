// TIFF files by libtiff: the first picture, strip by strip or tile by tile.
#include <tiffio.h>

#include <cstdlib>
#include <cstring>

#include "tiff_layout.h"

namespace maskrt::image_library {
namespace {

/// The file in memory as libtiff reads it, and what it says of it. libtiff returns after errors: nothing is skipped.
struct Source {
  const std::uint8_t* bytes;
  std::uint64_t size, at;
  MaskrtReason* reason;
};

Source& source_of(thandle_t handle) { return *static_cast<Source*>(handle); }

tmsize_t read(thandle_t handle, void* to, tmsize_t size) {
  Source& from = source_of(handle);
  if (size <= 0 || from.at >= from.size) return 0;
  const std::uint64_t left = from.size - from.at, wanted = static_cast<std::uint64_t>(size);
  const std::uint64_t count = wanted < left ? wanted : left;
  std::memcpy(to, from.bytes + from.at, count);
  from.at += count;
  return static_cast<tmsize_t>(count);
}

tmsize_t write(thandle_t, void*, tmsize_t) { return 0; }

toff_t seek(thandle_t handle, toff_t offset, int whence) {
  Source& from = source_of(handle);
  if (whence == SEEK_CUR) offset += from.at;
  if (whence == SEEK_END) offset += from.size;
  return from.at = offset;
}

int close(thandle_t) { return 0; }
toff_t size(thandle_t handle) { return source_of(handle).size; }

/// Keeps the first error, which the others follow from.
int failed(TIFF*, void* user, const char*, const char* format, std::va_list arguments) {
  MaskrtReason& reason = *static_cast<MaskrtReason*>(user);
  if (reason.text[0] != 0) return 1;
  const int start = std::snprintf(reason.text, sizeof reason.text, "libtiff says: ");
  std::vsnprintf(reason.text + start, sizeof reason.text - static_cast<std::size_t>(start), format, arguments);
  return 1;
}

int warned(TIFF*, void*, const char*, const char*, std::va_list) { return 1; }

TIFF* open(Source& source, std::size_t memory) {
  TIFFOpenOptions* options = TIFFOpenOptionsAlloc();
  if (options == nullptr) return nullptr;
  TIFFOpenOptionsSetMaxSingleMemAlloc(options, static_cast<tmsize_t>(memory));
  TIFFOpenOptionsSetErrorHandlerExtR(options, failed, source.reason);
  TIFFOpenOptionsSetWarningHandlerExtR(options, warned, nullptr);
  // m: libtiff copies out of the file instead of pointing into it.
  TIFF* tiff = TIFFClientOpenExt("picture", "rm", &source, read, write, seek, close, size, nullptr, nullptr, options);
  TIFFOpenOptionsFree(options);
  return tiff;
}

/// A reason there is already is more to the point.
int fail_unless_told(MaskrtReason& reason, const char* text) {
  return reason.text[0] != 0 ? 0 : fail(reason, "%s", text);
}

constexpr const char* kDamaged = "the TIFF file is truncated or damaged";

/// Strips and tiles may lie over each other, and each is read for itself: so that time stays in proportion to the file,
/// they may not be more than twice as long as it.
bool blocks_fit(TIFF* tiff, std::uint64_t file_size) {
  const std::uint32_t count = TIFFIsTiled(tiff) != 0 ? TIFFNumberOfTiles(tiff) : TIFFNumberOfStrips(tiff);
  std::uint64_t total = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint64_t bytes = TIFFGetStrileByteCount(tiff, i);
    if (bytes > file_size) continue;  // beyond the end: reading it fails
    total += bytes;
    if (total > 2 * file_size) return false;
  }
  return true;
}

/// Tiles, or strips as tiles that are as wide as the picture.
struct Blocks {
  bool tiled;
  std::uint32_t width, height;
  std::size_t size, row_size;
};

int read_blocks(TIFF* tiff, const TiffLayout& layout, const Blocks& blocks, std::uint8_t* buffer,
                const MaskrtPixels& pixels, MaskrtReason& reason) {
  const unsigned planes = layout.planar ? layout.used_samples() : 1;
  for (std::uint32_t y = 0; y < pixels.height; y += blocks.height) {
    const std::uint32_t rows = pixels.height - y < blocks.height ? pixels.height - y : blocks.height;
    for (unsigned plane = 0; plane < planes; ++plane)
      for (std::uint32_t x = 0; x < pixels.width; x += blocks.width) {
        const std::uint32_t columns = pixels.width - x < blocks.width ? pixels.width - x : blocks.width;
        const auto sample = static_cast<std::uint16_t>(plane);
        const std::size_t needed = blocks.tiled ? blocks.size : blocks.row_size * rows;
        const tmsize_t got = blocks.tiled ? TIFFReadEncodedTile(tiff, TIFFComputeTile(tiff, x, y, 0, sample), buffer,
                                                                static_cast<tmsize_t>(needed))
                                          : TIFFReadEncodedStrip(tiff, TIFFComputeStrip(tiff, y, sample), buffer,
                                                                 static_cast<tmsize_t>(needed));
        if (got < 0 || static_cast<std::size_t>(got) < needed) return fail_unless_told(reason, kDamaged);
        for (std::uint32_t row = 0; row < rows; ++row)
          convert_row(layout, buffer + blocks.row_size * row, columns, plane,
                      row_of(pixels, y + row) + std::size_t{3} * x);
      }
    if (blocks.height > pixels.height - y) break;  // y + height may be beyond 32 bits
  }
  return 1;
}

int decode_blocks(TIFF* tiff, const TiffLayout& layout, std::size_t memory, const MaskrtPixels& pixels,
                  MaskrtReason& reason) {
  Blocks blocks{TIFFIsTiled(tiff) != 0, pixels.width, pixels.height, 0, 0};
  if (blocks.tiled) {
    TIFFGetField(tiff, TIFFTAG_TILEWIDTH, &blocks.width);
    TIFFGetField(tiff, TIFFTAG_TILELENGTH, &blocks.height);
  } else {
    std::uint32_t rows = 0;
    if (TIFFGetFieldDefaulted(tiff, TIFFTAG_ROWSPERSTRIP, &rows) != 0 && rows != 0 && rows < pixels.height)
      blocks.height = rows;
  }
  const tmsize_t whole = blocks.tiled ? TIFFTileSize(tiff) : TIFFStripSize(tiff);
  const tmsize_t row = blocks.tiled ? TIFFTileRowSize(tiff) : TIFFScanlineSize(tiff);
  const std::uint64_t row_bits = std::uint64_t{blocks.width} * (layout.planar ? 1u : layout.samples) * layout.bits;
  if (whole <= 0 || row <= 0 || blocks.width == 0 || blocks.height == 0) return fail_unless_told(reason, kDamaged);
  blocks.size = static_cast<std::size_t>(whole);
  blocks.row_size = static_cast<std::size_t>(row);
  if (blocks.row_size < (row_bits + 7) / 8 || blocks.size / blocks.row_size < blocks.height)
    return fail(reason, "the TIFF file is damaged: its strips or tiles are shorter than their pixels");
  if (blocks.size > memory)
    return fail(reason, "expected TIFF strips or tiles of at most %zu bytes, found %zu", memory, blocks.size);
  auto* buffer = static_cast<std::uint8_t*>(std::malloc(blocks.size));
  if (buffer == nullptr) return fail(reason, "expected memory for the picture, found too little");
  const int result = read_blocks(tiff, layout, blocks, buffer, pixels, reason);
  std::free(buffer);
  return result;
}

/// The whole picture by libtiff's own conversion.
int decode_converted(TIFF* tiff, std::size_t memory, const MaskrtPixels& pixels, MaskrtReason& reason) {
  const std::size_t size = std::size_t{4} * pixels.width * pixels.height;
  if (size > memory) return fail(reason, "expected a TIFF of at most %zu bytes, found %zu", memory, size);
  TIFFRGBAImage conversion;
  char text[1024] = "";
  if (TIFFRGBAImageOK(tiff, text) == 0 || TIFFRGBAImageBegin(&conversion, tiff, 1, text) == 0)
    return fail(reason, "libtiff says: %s", text);
  conversion.orientation = conversion.req_orientation = ORIENTATION_TOPLEFT;
  auto* raster = static_cast<std::uint32_t*>(std::malloc(size));
  int result = 0;
  if (raster == nullptr) {
    fail(reason, "expected memory for the picture, found too little");
  } else if (TIFFRGBAImageGet(&conversion, raster, pixels.width, pixels.height) == 0) {
    fail_unless_told(reason, kDamaged);
  } else {
    for (std::size_t y = 0; y < pixels.height; ++y) {
      std::uint8_t* rgb = row_of(pixels, y);
      for (std::size_t x = 0; x < pixels.width; ++x, rgb += 3) {
        const std::uint32_t pixel = raster[y * pixels.width + x];
        rgb[0] = static_cast<std::uint8_t>(TIFFGetR(pixel));
        rgb[1] = static_cast<std::uint8_t>(TIFFGetG(pixel));
        rgb[2] = static_cast<std::uint8_t>(TIFFGetB(pixel));
      }
    }
    result = 1;
  }
  std::free(raster);
  TIFFRGBAImageEnd(&conversion);
  return result;
}

int decode_first_directory(TIFF* tiff, const MaskrtEncodedImage& image, const MaskrtPixels& pixels,
                           MaskrtReason& reason) {
  std::uint32_t width = 0, height = 0;
  TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
  TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &height);
  if (width != pixels.width || height != pixels.height) return wrong_size(reason, pixels, width, height);
  TiffLayout layout;
  if (read_layout(tiff, layout, reason) == 0) return 0;
  if (!blocks_fit(tiff, image.size))
    return fail(reason,
                "expected TIFF strips or tiles that do not lie over each other, found more than the file holds");
  if (layout.needs_conversion()) return decode_converted(tiff, image.memory, pixels, reason);
  if (layout.photometric == PHOTOMETRIC_YCBCR && layout.samples == 3)
    TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
  return decode_blocks(tiff, layout, image.memory, pixels, reason);
}

}  // namespace

int decode_tiff(const MaskrtEncodedImage& image, const MaskrtPixels& pixels, MaskrtReason& reason) {
  reason.text[0] = 0;
  Source source{image.bytes, image.size, 0, &reason};
  TIFF* tiff = open(source, image.memory);
  if (tiff == nullptr) return fail_unless_told(reason, kDamaged);
  const int result = decode_first_directory(tiff, image, pixels, reason);
  TIFFClose(tiff);
  return result;
}

}  // namespace maskrt::image_library
