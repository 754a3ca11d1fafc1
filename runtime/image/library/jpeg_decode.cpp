// JPEG files by libjpeg-turbo.
#include <cstdlib>

#include "cmyk.h"
#include "jpeg_errors.h"

namespace maskrt::image_library {
namespace {

/// The whole file at once. At its end libjpeg is told to wait for more, so that what is truncated is seen instead of
/// filled up.
void start(j_decompress_ptr) {}
boolean wait_for_more(j_decompress_ptr) { return FALSE; }

void skip(j_decompress_ptr info, long count) {
  jpeg_source_mgr& from = *info->src;
  if (count <= 0) return;
  const std::size_t skipped =
      static_cast<std::size_t>(count) < from.bytes_in_buffer ? static_cast<std::size_t>(count) : from.bytes_in_buffer;
  from.next_input_byte += skipped;
  from.bytes_in_buffer -= skipped;
}

void finish(j_decompress_ptr) {}

int truncated(MaskrtReason& reason) {
  return fail(reason, "the JPEG file is truncated: its data end before its last pixel");
}

}  // namespace

int decode_jpeg(const MaskrtEncodedImage& image, const MaskrtPixels& pixels, MaskrtReason& reason) {
  jpeg_decompress_struct info{};
  JpegErrors errors{};
  jpeg_source_mgr from{};
  std::uint8_t* volatile inks = nullptr;  // a row of CMYK
  info.err = jpeg_errors(errors, reason);
  if (setjmp(errors.failed) != 0) {
    jpeg_destroy_decompress(&info);
    std::free(inks);
    return 0;
  }
  jpeg_create_decompress(&info);
  info.mem->max_memory_to_use = static_cast<long>(image.memory);
  from.next_input_byte = image.bytes;
  from.bytes_in_buffer = image.size;
  from.init_source = start;
  from.fill_input_buffer = wait_for_more;
  from.skip_input_data = skip;
  from.resync_to_restart = jpeg_resync_to_restart;
  from.term_source = finish;
  info.src = &from;

  const auto done = [&](int result) {
    jpeg_destroy_decompress(&info);
    std::free(inks);
    return result;
  };
  if (jpeg_read_header(&info, TRUE) != JPEG_HEADER_OK) return done(truncated(reason));
  if (info.image_width != pixels.width || info.image_height != pixels.height)
    return done(wrong_size(reason, pixels, info.image_width, info.image_height));
  const bool cmyk = info.num_components == 4;
  info.out_color_space = cmyk ? JCS_CMYK : JCS_RGB;
  if (cmyk) inks = static_cast<std::uint8_t*>(std::malloc(std::size_t{4} * pixels.width));
  if (cmyk && inks == nullptr) return done(fail(reason, "expected memory for the picture, found too little"));
  if (jpeg_start_decompress(&info) == FALSE) return done(truncated(reason));
  while (info.output_scanline < info.output_height) {
    JDIMENSION read = 0;
    if (cmyk) {
      JSAMPROW row = inks;
      const JDIMENSION y = info.output_scanline;
      read = jpeg_read_scanlines(&info, &row, 1);
      // Four components are taken for Adobe's, which stores the paper that inks leave, with its marker or without.
      constexpr std::uint8_t paper = 255;
      if (read != 0) rgb_from_cmyk(inks, pixels.width, paper, row_of(pixels, y));
    } else {
      constexpr JDIMENSION most_rows = 16;
      JSAMPROW rows[most_rows];
      JDIMENSION count = 0;
      for (; count < most_rows && info.output_scanline + count < info.output_height; ++count)
        rows[count] = row_of(pixels, info.output_scanline + count);
      read = jpeg_read_scanlines(&info, rows, count);
    }
    if (read == 0) return done(truncated(reason));
  }
  jpeg_finish_decompress(&info);
  return done(1);
}

}  // namespace maskrt::image_library
