// JPEG files by libjpeg-turbo.
#include "growing_file.h"
#include "jpeg_errors.h"

namespace maskrt::image_library {
namespace {

/// libjpeg writes into the unused capacity of the file's buffer, which grows when it is full.
struct Destination {
  jpeg_destination_mgr manager;  // first, so that libjpeg's pointer to it is one to the whole
  MaskrtFile* file;
  std::size_t capacity;
  bool out_of_memory;
};

Destination& destination_of(j_compress_ptr info) { return *reinterpret_cast<Destination*>(info->dest); }

void offer_room(Destination& to, std::size_t used) {
  to.manager.next_output_byte = to.file->bytes + used;
  to.manager.free_in_buffer = to.capacity - used;
}

void start(j_compress_ptr info) { offer_room(destination_of(info), 0); }

boolean grow(j_compress_ptr info) {
  Destination& to = destination_of(info);
  if (!reserve(*to.file, 2 * to.capacity)) {
    // libjpeg then stops as if the application wanted to write later.
    to.out_of_memory = true;
    return FALSE;
  }
  to.capacity *= 2;
  offer_room(to, to.capacity / 2);
  return TRUE;
}

void finish(j_compress_ptr info) {
  Destination& to = destination_of(info);
  to.file->size = to.capacity - to.manager.free_in_buffer;
}

}  // namespace

int encode_jpeg(const MaskrtPixels& pixels, int quality, std::uint32_t subsampling, MaskrtFile& file,
                MaskrtReason& reason) {
  file = {};
  if (quality < 1 || quality > 100) return fail(reason, "expected a JPEG quality of 1 to 100, found %d", quality);
  if (subsampling > MASKRT_SUBSAMPLING_420)
    return fail(reason, "expected 4:4:4, 4:2:2 or 4:2:0 for a JPEG, found number %u", subsampling);
  constexpr std::uint32_t longest = 65500;
  if (pixels.width < 1 || pixels.height < 1 || pixels.width > longest || pixels.height > longest)
    return fail(reason, "expected sides of 1 to %u pixels for a JPEG, found %u x %u", longest, pixels.width,
                pixels.height);
  jpeg_compress_struct info{};
  JpegErrors errors{};
  Destination to{};
  to.file = &file;
  to.capacity = std::size_t{pixels.width} * pixels.height / 4 + 4096;
  if (!reserve(file, to.capacity)) return fail(reason, "expected memory for a JPEG file, found too little");
  info.err = jpeg_errors(errors, reason);
  if (setjmp(errors.failed) != 0) {
    jpeg_destroy_compress(&info);
    std::free(file.bytes);
    file = {};
    return 0;
  }
  jpeg_create_compress(&info);
  to.manager.init_destination = start;
  to.manager.empty_output_buffer = grow;
  to.manager.term_destination = finish;
  info.dest = &to.manager;
  info.image_width = pixels.width;
  info.image_height = pixels.height;
  info.input_components = 3;
  info.in_color_space = JCS_RGB;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, quality, TRUE);
  info.comp_info[0].h_samp_factor = subsampling == MASKRT_SUBSAMPLING_444 ? 1 : 2;
  info.comp_info[0].v_samp_factor = subsampling == MASKRT_SUBSAMPLING_420 ? 2 : 1;
  jpeg_start_compress(&info, TRUE);
  while (info.next_scanline < info.image_height && !to.out_of_memory) {
    constexpr JDIMENSION most_rows = 16;
    JSAMPROW rows[most_rows];
    JDIMENSION count = 0;
    for (; count < most_rows && info.next_scanline + count < info.image_height; ++count)
      rows[count] = row_of(pixels, info.next_scanline + count);
    jpeg_write_scanlines(&info, rows, count);
  }
  if (!to.out_of_memory) jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  if (!to.out_of_memory) return 1;
  std::free(file.bytes);
  file = {};
  return fail(reason, "expected memory for a JPEG file, found too little");
}

}  // namespace maskrt::image_library
