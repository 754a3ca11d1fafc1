#include "decode.h"

#include <string>

#include "open_image_library.h"
#include "own_decoders.h"
#include "regular.h"
#include "stb.h"

namespace maskrt::image {
namespace {

/// Memory for all pixels, not filled.
std::shared_ptr<std::uint8_t> memory_for(const Header& header) {
  const std::size_t size = static_cast<std::size_t>(header.width * header.height) * 3;
  return std::shared_ptr<std::uint8_t>(new std::uint8_t[size], std::default_delete<std::uint8_t[]>());
}

using OwnDecoder = void (*)(Bytes file, std::uint8_t* rgb);

OwnDecoder own_decoder(Container container) {
  switch (container) {
    case Container::bmp:
      return decode_bmp;
    case Container::gif:
      return decode_gif;
    case Container::pnm:
      return decode_pnm;
    default:
      return nullptr;
  }
}

std::uint32_t library_format(Container container) {
  switch (container) {
    case Container::png:
      return MASKRT_IMAGE_PNG;
    case Container::webp:
      return MASKRT_IMAGE_WEBP;
    case Container::tiff:
      return MASKRT_IMAGE_TIFF;
    default:
      return MASKRT_IMAGE_JPEG;
  }
}

std::shared_ptr<const std::uint8_t> decode_with_library(const MaskrtImageLibrary& library, Bytes file,
                                                        const Header& header) {
  const auto width = static_cast<std::uint32_t>(header.width), height = static_cast<std::uint32_t>(header.height);
  std::shared_ptr<std::uint8_t> rgb = memory_for(header);
  const MaskrtEncodedImage image{reinterpret_cast<const std::uint8_t*>(file.data()),
                                 file.size(),
                                 library_format(header.container),
                                 width,
                                 height,
                                 header.decoder_memory};
  const MaskrtPixels pixels{rgb.get(), width, height, std::ptrdiff_t{3} * width};
  MaskrtReason reason{};
  if (library.decode(&image, &pixels, &reason) == 0)
    throw Error(std::string("the picture is damaged or of a kind not supported: ") + reason.text);
  return rgb;
}

}  // namespace

std::shared_ptr<const std::uint8_t> decode(Bytes file, const Header& header, const MaskrtImageLibrary* library) {
  if (const OwnDecoder decoder = own_decoder(header.container)) {
    std::shared_ptr<std::uint8_t> rgb = memory_for(header);
    decoder(file, rgb.get());
    return rgb;
  }
  std::vector<std::byte> regular;
  if (header.container == Container::png && (!header.ended || (!header.suits_stb && library == nullptr)))
    regular = regular_png(file);
  if (header.container == Container::jpeg && library == nullptr) regular = regular_jpeg(file);
  if (!regular.empty()) file = regular;
  if (library != nullptr) return decode_with_library(*library, file, header);
  return decode_with_stb(file, header.width, header.height, header.decoder_memory);
}

std::shared_ptr<const std::uint8_t> decode(Bytes file, const Header& header) {
  const bool own = own_decoder(header.container) != nullptr;
  const MaskrtImageLibrary* library = own ? nullptr : image_library();
  if (library == nullptr && !header.needs_library.empty())
    throw Error("expected a picture that libmaskrt reads by itself, found " + header.needs_library +
                ", which needs libmaskrt_images.so beside libmaskrt.so (" + why_no_image_library() + ")");
  return decode(file, header, library);
}

}  // namespace maskrt::image
