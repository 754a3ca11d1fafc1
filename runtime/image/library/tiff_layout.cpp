#include "tiff_layout.h"

#include <cstring>

#include "cmyk.h"

namespace maskrt::image_library {
namespace {

template <typename T>
T native(const std::uint8_t* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

template <typename T>
std::uint8_t clipped(T value) {
  if (!(value > T{0})) return 0;  // NaN, too
  return value >= T{255} ? 255 : static_cast<std::uint8_t>(value);
}

/// Sample `i` of a row of samples of up to 8 bits, unscaled.
unsigned small_sample(const std::uint8_t* row, std::size_t i, unsigned bits) {
  const std::size_t first = i * bits;
  return row[first / 8] >> (8 - bits - first % 8) & ((1u << bits) - 1);
}

/// Sample `i` of a row as 8 bits: of 16 the upper ones, other large ones clipped.
std::uint8_t sample(const TiffLayout& layout, const std::uint8_t* row, std::size_t i) {
  switch (layout.bits) {
    case 8:
      return row[i];
    case 16:
      if (layout.format == SAMPLEFORMAT_INT) return clipped(native<std::int16_t>(row + 2 * i));
      return static_cast<std::uint8_t>(native<std::uint16_t>(row + 2 * i) >> 8);
    case 32:
      if (layout.format == SAMPLEFORMAT_IEEEFP) return clipped(native<float>(row + 4 * i));
      return clipped(native<std::int32_t>(row + 4 * i));
    default:
      return static_cast<std::uint8_t>(small_sample(row, i, layout.bits) * 255 / ((1u << layout.bits) - 1));
  }
}

bool is_grey(const TiffLayout& layout) {
  return layout.photometric == PHOTOMETRIC_MINISWHITE || layout.photometric == PHOTOMETRIC_MINISBLACK ||
         (layout.photometric == PHOTOMETRIC_YCBCR && layout.samples == 1);
}

void convert_grey(const TiffLayout& layout, const std::uint8_t* row, std::size_t count, std::size_t samples,
                  std::uint8_t* rgb) {
  const bool inverted = layout.photometric == PHOTOMETRIC_MINISWHITE && layout.format == SAMPLEFORMAT_UINT;
  for (std::size_t x = 0; x < count; ++x) {
    const std::uint8_t value = sample(layout, row, x * samples) ^ (inverted ? 255 : 0);
    for (int c = 0; c < 3; ++c) rgb[3 * x + static_cast<std::size_t>(c)] = value;
  }
}

void convert_palette(const TiffLayout& layout, const std::uint8_t* row, std::size_t count, std::size_t samples,
                     std::uint8_t* rgb) {
  for (std::size_t x = 0; x < count; ++x, rgb += 3) {
    const unsigned index = small_sample(row, x * samples, layout.bits);
    rgb[0] = static_cast<std::uint8_t>(layout.red[index] >> 8);
    rgb[1] = static_cast<std::uint8_t>(layout.green[index] >> 8);
    rgb[2] = static_cast<std::uint8_t>(layout.blue[index] >> 8);
  }
}

/// A colour before it was multiplied with its alpha.
std::uint8_t divided(unsigned colour, unsigned alpha) {
  return alpha == 0 ? 0 : clipped(static_cast<int>(colour * 255 / alpha));
}

void convert_rgb(const TiffLayout& layout, const std::uint8_t* row, std::size_t count, std::size_t samples,
                 std::uint8_t* rgb) {
  if (layout.bits == 8 && samples == 3) {
    std::memcpy(rgb, row, 3 * count);
    return;
  }
  for (std::size_t x = 0; x < count; ++x)
    for (std::size_t c = 0; c < 3; ++c) {
      const std::uint8_t value = sample(layout, row, x * samples + c);
      rgb[3 * x + c] = layout.premultiplied ? divided(value, sample(layout, row, x * samples + 3)) : value;
    }
}

void convert_cmyk(const TiffLayout& layout, const std::uint8_t* row, std::size_t count, std::size_t samples,
                  std::uint8_t* rgb) {
  for (std::size_t x = 0; x < count; ++x) {
    std::uint8_t inks[4];
    for (std::size_t c = 0; c < 4; ++c) inks[c] = sample(layout, row, x * samples + c);
    rgb_from_cmyk(inks, 1, 0, rgb + 3 * x);
  }
}

/// Colours and inks go where the colour belongs; black or alpha, which comes last, has its effect on all three.
void convert_plane(const TiffLayout& layout, const std::uint8_t* row, std::size_t count, unsigned plane,
                   std::uint8_t* rgb) {
  for (std::size_t x = 0; x < count; ++x, rgb += 3) {
    const std::uint8_t value = sample(layout, row, x);
    if (plane < 3) {
      rgb[plane] = value;
    } else if (layout.premultiplied) {
      for (int c = 0; c < 3; ++c) rgb[c] = divided(rgb[c], value);
    } else {
      const std::uint8_t inks[4] = {rgb[0], rgb[1], rgb[2], value};
      rgb_from_cmyk(inks, 1, 0, rgb);
    }
  }
}

bool is_known_compression(std::uint16_t compression) {
  switch (compression) {
    case COMPRESSION_NONE:
    case COMPRESSION_CCITTRLE:
    case COMPRESSION_CCITTFAX3:
    case COMPRESSION_CCITTFAX4:
    case COMPRESSION_LZW:
    case COMPRESSION_JPEG:
    case COMPRESSION_ADOBE_DEFLATE:
    case COMPRESSION_DEFLATE:
    case COMPRESSION_PACKBITS:
    case COMPRESSION_ZSTD:
      return true;
    default:
      return false;
  }
}

/// Whether a picture of this photometric interpretation may have these bits, samples and format.
bool is_known(const TiffLayout& layout, unsigned extra_samples) {
  const std::uint16_t bits = layout.bits;
  const bool whole = layout.format == SAMPLEFORMAT_UINT, small = bits == 1 || bits == 2 || bits == 4;
  switch (layout.photometric) {
    case PHOTOMETRIC_MINISWHITE:
    case PHOTOMETRIC_MINISBLACK:
      if (layout.samples != 1) return layout.samples == 2 && extra_samples == 1 && bits == 8 && whole;
      if (small) return whole;
      if (bits == 8 || bits == 16) return whole || layout.format == SAMPLEFORMAT_INT;
      return bits == 32;
    case PHOTOMETRIC_RGB:
      return whole && (bits == 8 || bits == 16) && layout.samples >= 3 && layout.samples <= 6;
    case PHOTOMETRIC_PALETTE:
      return whole && ((layout.samples == 1 && (small || bits == 8)) || (layout.samples == 2 && bits == 8)) &&
             layout.red != nullptr;
    case PHOTOMETRIC_SEPARATED:
      return whole && (bits == 8 || bits == 16) && layout.samples >= 4 && layout.samples <= 6;
    case PHOTOMETRIC_YCBCR:
      return whole && bits == 8 && (layout.samples == 1 || layout.samples == 3);
    default:
      return false;
  }
}

}  // namespace

unsigned TiffLayout::used_samples() const {
  if (photometric == PHOTOMETRIC_SEPARATED || premultiplied) return 4;
  return photometric == PHOTOMETRIC_RGB || photometric == PHOTOMETRIC_YCBCR ? (samples < 3 ? samples : 3u) : 1u;
}

bool TiffLayout::needs_conversion() const {
  return photometric == PHOTOMETRIC_YCBCR && samples == 3 && (compression != COMPRESSION_JPEG || planar);
}

int read_layout(TIFF* tiff, TiffLayout& layout, MaskrtReason& reason) {
  std::uint16_t planar = PLANARCONFIG_CONTIG, extra_samples = 0, *extra = nullptr;
  layout = {};
  if (TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &layout.photometric) == 0) layout.photometric = PHOTOMETRIC_MINISWHITE;
  TIFFGetFieldDefaulted(tiff, TIFFTAG_COMPRESSION, &layout.compression);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &layout.bits);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &layout.samples);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLEFORMAT, &layout.format);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_PLANARCONFIG, &planar);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_EXTRASAMPLES, &extra_samples, &extra);
  layout.planar = planar == PLANARCONFIG_SEPARATE && layout.samples > 1;
  layout.premultiplied = layout.photometric == PHOTOMETRIC_RGB && layout.samples > 3 && extra_samples > 0 &&
                         extra[0] == EXTRASAMPLE_ASSOCALPHA;
  std::uint16_t *red = nullptr, *green = nullptr, *blue = nullptr;
  if (layout.photometric == PHOTOMETRIC_PALETTE && TIFFGetField(tiff, TIFFTAG_COLORMAP, &red, &green, &blue) != 0) {
    layout.red = red;
    layout.green = green;
    layout.blue = blue;
  }
  if (!is_known_compression(layout.compression))
    return fail(
        reason,
        "expected a TIFF that is uncompressed or compressed by LZW, Deflate, PackBits, JPEG, CCITT or Zstandard, found "
        "compression %u",
        layout.compression);
  if (!is_known(layout, extra_samples))
    return fail(
        reason,
        "expected a grey, palette, RGB, CMYK or YCbCr TIFF, found photometric interpretation %u with %u samples "
        "of %u bits in format %u",
        layout.photometric, layout.samples, layout.bits, layout.format);
  return 1;
}

void convert_row(const TiffLayout& layout, const std::uint8_t* row, std::size_t count, unsigned plane,
                 std::uint8_t* rgb) {
  const std::size_t samples = layout.planar ? 1 : layout.samples;
  if (is_grey(layout)) {
    convert_grey(layout, row, count, samples, rgb);
  } else if (layout.photometric == PHOTOMETRIC_PALETTE) {
    convert_palette(layout, row, count, samples, rgb);
  } else if (layout.planar) {
    convert_plane(layout, row, count, plane, rgb);
  } else if (layout.photometric == PHOTOMETRIC_SEPARATED) {
    convert_cmyk(layout, row, count, samples, rgb);
  } else {
    convert_rgb(layout, row, count, samples, rgb);
  }
}

}  // namespace maskrt::image_library
