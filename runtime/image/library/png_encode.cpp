// PNG files by libpng.
#include "growing_file.h"
#include "png_errors.h"

namespace maskrt::image_library {
namespace {

struct Output {
  MaskrtFile* file;
  std::size_t capacity;
};

void append(png_structp png, png_bytep bytes, std::size_t size) {
  Output& out = *static_cast<Output*>(png_get_io_ptr(png));
  if (out.capacity - out.file->size < size) {
    const std::size_t capacity = 2 * out.capacity + size;
    if (!reserve(*out.file, capacity)) png_error(png, "no memory for the file");
    out.capacity = capacity;
  }
  std::memcpy(out.file->bytes + out.file->size, bytes, size);
  out.file->size += size;
}

void flush(png_structp) {}

}  // namespace

int encode_png(const MaskrtPixels& pixels, int compression, MaskrtFile& file, MaskrtReason& reason) {
  file = {};
  if (compression < 0 || compression > 9)
    return fail(reason, "expected a PNG compression of 0 to 9, found %d", compression);
  PngErrors errors{};
  errors.reason = &reason;
  Output out{&file, 0};
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &errors, png_failed, png_warned);
  png_infop info = png != nullptr ? png_create_info_struct(png) : nullptr;
  if (info == nullptr) {
    png_destroy_write_struct(&png, nullptr);
    return fail(reason, "expected memory for a PNG file, found too little");
  }
  if (setjmp(errors.failed) != 0) {
    png_destroy_write_struct(&png, &info);
    std::free(file.bytes);
    file = {};
    return 0;
  }
  png_set_write_fn(png, &out, append, flush);
  png_set_compression_level(png, compression);
  png_set_IHDR(png, info, pixels.width, pixels.height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(png, info);
  for (std::size_t y = 0; y < pixels.height; ++y) png_write_row(png, row_of(pixels, y));
  png_write_end(png, nullptr);
  png_destroy_write_struct(&png, &info);
  return 1;
}

}  // namespace maskrt::image_library
