// WebP files by libwebp: the first frame.
#include <webp/decode.h>
#include <webp/demux.h>

#include <cstring>

#include "codecs.h"

namespace maskrt::image_library {

int decode_webp(const MaskrtEncodedImage& image, const MaskrtPixels& pixels, MaskrtReason& reason) {
  const WebPData file{image.bytes, image.size};
  struct Demuxer {
    WebPDemuxer* parts;
    WebPIterator frame;
    ~Demuxer() {
      WebPDemuxReleaseIterator(&frame);
      WebPDemuxDelete(parts);
    }
  } demuxer{WebPDemux(&file), {}};
  if (demuxer.parts == nullptr) return fail(reason, "the WebP file is truncated or damaged");
  const std::uint32_t width = WebPDemuxGetI(demuxer.parts, WEBP_FF_CANVAS_WIDTH);
  const std::uint32_t height = WebPDemuxGetI(demuxer.parts, WEBP_FF_CANVAS_HEIGHT);
  if (width != pixels.width || height != pixels.height) return wrong_size(reason, pixels, width, height);
  WebPIterator& frame = demuxer.frame;
  if (WebPDemuxGetFrame(demuxer.parts, 1, &frame) == 0 || frame.complete == 0)
    return fail(reason, "the WebP file is truncated or damaged: its first frame is not whole");
  const std::uint32_t right = static_cast<std::uint32_t>(frame.x_offset) + static_cast<std::uint32_t>(frame.width);
  const std::uint32_t bottom = static_cast<std::uint32_t>(frame.y_offset) + static_cast<std::uint32_t>(frame.height);
  if (frame.x_offset < 0 || frame.y_offset < 0 || right > width || bottom > height)
    return fail(reason, "expected a first frame inside of %u x %u pixels, found it outside", width, height);
  // An animation's canvas begins black.
  if (right - static_cast<std::uint32_t>(frame.x_offset) != width ||
      bottom - static_cast<std::uint32_t>(frame.y_offset) != height) {
    for (std::size_t y = 0; y < height; ++y) std::memset(row_of(pixels, y), 0, std::size_t{3} * width);
  }

  WebPDecoderConfig config;
  if (WebPInitDecoderConfig(&config) == 0) return fail(reason, "expected another version of libwebp");
  config.output.colorspace = MODE_RGB;  // alpha is dropped
  config.output.is_external_memory = 1;
  WebPRGBABuffer& out = config.output.u.RGBA;
  out.rgba = row_of(pixels, static_cast<std::size_t>(frame.y_offset)) + std::ptrdiff_t{3} * frame.x_offset;
  out.stride = static_cast<int>(pixels.row_stride);
  // From the frame's first pixel to its last: the rows' ends belong to the canvas.
  out.size = static_cast<std::size_t>(pixels.row_stride) * static_cast<std::size_t>(frame.height - 1) +
             std::size_t{3} * static_cast<std::size_t>(frame.width);
  config.output.width = frame.width;
  config.output.height = frame.height;
  const VP8StatusCode status = WebPDecode(frame.fragment.bytes, frame.fragment.size, &config);
  WebPFreeDecBuffer(&config.output);
  switch (status) {
    case VP8_STATUS_OK:
      return 1;
    case VP8_STATUS_OUT_OF_MEMORY:
      return fail(reason, "expected memory for the picture, found too little");
    case VP8_STATUS_NOT_ENOUGH_DATA:
    case VP8_STATUS_SUSPENDED:
      return fail(reason, "the WebP file is truncated: its data end before its last pixel");
    default:
      return fail(reason, "the WebP file is damaged: libwebp says status %d", static_cast<int>(status));
  }
}

}  // namespace maskrt::image_library
