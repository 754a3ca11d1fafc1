// PNG files by libpng.
#include <cstdlib>
#include <cstring>

#include "png_errors.h"

namespace maskrt::image_library {
namespace {

struct Input {
  const std::uint8_t* next;
  std::size_t left;
};

void read(png_structp png, png_bytep to, std::size_t size) {
  Input& from = *static_cast<Input*>(png_get_io_ptr(png));
  if (size > from.left) png_error(png, "the file ends before its last pixel");
  std::memcpy(to, from.next, size);
  from.next += size;
  from.left -= size;
}

/// 256 colours; those that the file's palette lacks are black, as Pillow has them.
struct Palette {
  std::uint8_t colours[256][3];
};

Palette palette_of(png_structp png, png_infop info) {
  Palette palette{};
  png_colorp colours = nullptr;
  int count = 0;
  if (png_get_PLTE(png, info, &colours, &count) == 0) return palette;
  for (int i = 0; i < count && i < 256; ++i) {
    palette.colours[i][0] = colours[i].red;
    palette.colours[i][1] = colours[i].green;
    palette.colours[i][2] = colours[i].blue;
  }
  return palette;
}

/// Indices at the row's start become its colours, from the last to the first because both lie in the same memory.
void look_up(const Palette& palette, std::uint8_t* row, std::size_t width) {
  for (std::size_t x = width; x-- > 0;) std::memcpy(row + 3 * x, palette.colours[row[x]], 3);
}

}  // namespace

int decode_png(const MaskrtEncodedImage& image, const MaskrtPixels& pixels, MaskrtReason& reason) {
  PngErrors errors{};
  errors.reason = &reason;
  Input from{image.bytes, image.size};
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &errors, png_failed, png_warned);
  png_infop info = png != nullptr ? png_create_info_struct(png) : nullptr;
  png_bytep* volatile rows = nullptr;
  if (info == nullptr) {
    png_destroy_read_struct(&png, nullptr, nullptr);
    return fail(reason, "expected memory for the picture, found too little");
  }
  if (setjmp(errors.failed) != 0) {
    png_destroy_read_struct(&png, &info, nullptr);
    std::free(rows);
    return 0;
  }
  const auto done = [&](int result) {
    png_destroy_read_struct(&png, &info, nullptr);
    std::free(rows);
    return result;
  };
  png_set_read_fn(png, &from, read);
  png_set_user_limits(png, pixels.width, pixels.height);
  png_set_chunk_malloc_max(png, image.memory);
  // All chunks but IHDR, PLTE, tRNS, IDAT and IEND: the walk over the file has read what matters in them.
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
  png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_QUIET_USE);

  png_read_info(png, info);
  const png_uint_32 width = png_get_image_width(png, info), height = png_get_image_height(png, info);
  if (width != pixels.width || height != pixels.height) return done(wrong_size(reason, pixels, width, height));
  const int type = png_get_color_type(png, info);
  const bool indexed = type == PNG_COLOR_TYPE_PALETTE, grey = (type & PNG_COLOR_MASK_COLOR) == 0;
  png_set_strip_16(png);  // 16 bits keep their upper 8
  png_set_strip_alpha(png);
  if (indexed) png_set_packing(png);
  if (grey) png_set_expand_gray_1_2_4_to_8(png);
  if (grey) png_set_gray_to_rgb(png);
  const bool interlaced = png_set_interlace_handling(png) > 1;
  png_read_update_info(png, info);
  const std::size_t row_size = std::size_t{indexed ? 1u : 3u} * width;
  if (png_get_rowbytes(png, info) != row_size)
    return done(fail(reason, "expected rows of %zu bytes, libpng makes %zu", row_size, png_get_rowbytes(png, info)));

  if (interlaced) {
    rows = static_cast<png_bytep*>(std::malloc(height * sizeof(png_bytep)));
    if (rows == nullptr) return done(fail(reason, "expected memory for the picture, found too little"));
    for (std::size_t y = 0; y < height; ++y) rows[y] = row_of(pixels, y);
    png_read_image(png, rows);
  } else {
    for (std::size_t y = 0; y < height; ++y) png_read_row(png, row_of(pixels, y), nullptr);
  }
  if (indexed) {
    const Palette palette = palette_of(png, info);
    for (std::size_t y = 0; y < height; ++y) look_up(palette, row_of(pixels, y), width);
  }
  return done(1);
}

}  // namespace maskrt::image_library
