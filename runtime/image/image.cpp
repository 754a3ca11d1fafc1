// The public Image: files, bytes or the caller's pixels.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <new>
#include <system_error>

#include "decode.h"
#include "exif.h"
#include "header.h"
#include "maskrt/maskrt.hpp"
#include "runtime/support/pixel_format.h"
#include "runtime/support/public_call.h"

namespace maskrt {

struct Image::Data {
  int width = 0, height = 0;
  PixelFormat format = PixelFormat::rgb;
  std::ptrdiff_t row_stride = 0;
  std::shared_ptr<const std::uint8_t> pixels;  // owns nothing where they are the caller's
};

namespace {

constexpr std::size_t kLargestFile = 0x7fffffff;  // the decoder counts in int

std::vector<std::byte> read_picture(const std::string& path) {
  const auto failed = [&](int code) {
    return Error(path + ": expected a readable picture file: " + std::generic_category().message(code));
  };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
  if (file == nullptr) throw failed(errno);
  // Read in pieces that double: the size of a pipe, or of a file that grows, is not known before.
  std::vector<std::byte> bytes;
  std::size_t filled = 0;
  for (;;) {
    if (filled == bytes.size()) bytes.resize(std::max<std::size_t>(std::size_t{1} << 18, 2 * filled));
    const std::size_t count = std::fread(bytes.data() + filled, 1, bytes.size() - filled, file.get());
    if (count == 0) break;
    filled += count;
    if (filled > kLargestFile) throw Error(path + ": expected a picture file of less than 2 GiB, found a larger one");
  }
  if (std::ferror(file.get()) != 0) throw failed(errno);
  bytes.resize(filled);
  return bytes;
}

std::shared_ptr<const std::uint8_t> shared(std::vector<std::uint8_t> pixels) {
  const auto owner = std::make_shared<const std::vector<std::uint8_t>>(std::move(pixels));
  return {owner, owner->data()};
}

}  // namespace

Image::Image(std::shared_ptr<const Data> data) : data_(std::move(data)) {}

Image Image::from_file(const std::string& path, const DecodeOptions& options) {
  return public_call("image", [&] { return from_bytes(read_picture(path), options, path); });
}

Image Image::from_bytes(std::span<const std::byte> bytes, const DecodeOptions& options, const std::string& name) {
  return public_call("image", [&] { return decoded(bytes, options, name); });
}

Image Image::decoded(std::span<const std::byte> bytes, const DecodeOptions& options, const std::string& name) try {
  if (bytes.size() > kLargestFile) throw Error("expected a picture of less than 2 GiB, found a larger one");
  const image::Header header = image::read_header(bytes);
  auto data = std::make_shared<Data>();
  data->width = static_cast<int>(header.width);
  data->height = static_cast<int>(header.height);
  data->pixels = image::decode(bytes, header);
  if (options.exif_orientation && header.orientation != 1) {
    image::Raster turned = image::oriented(data->pixels.get(), data->width, data->height, header.orientation);
    data->width = turned.width;
    data->height = turned.height;
    data->pixels = shared(std::move(turned.pixels));
  }
  data->row_stride = static_cast<std::ptrdiff_t>(data->width) * 3;
  return Image(std::move(data));
} catch (const Error& error) {
  throw Error(name + ": " + error.what());
} catch (const std::bad_alloc&) {
  throw Error(name + ": expected memory for the picture's pixels, found too little");
} catch (const std::exception& error) {
  throw Error(name + ": expected a picture, found: " + error.what());
}

Image Image::from_pixels(const std::uint8_t* pixels, int width, int height, PixelFormat format,
                         std::ptrdiff_t row_stride) {
  if (pixels == nullptr) throw Error("image from pixels: expected a pointer to pixels, found null");
  if (format > PixelFormat::grey)
    throw Error("image from pixels: expected the format rgb, bgr or grey, found number " +
                std::to_string(static_cast<int>(format)));
  if (width < 1 || height < 1) {
    throw Error("image from pixels: expected at least 1 x 1 pixels, found " + std::to_string(width) + " x " +
                std::to_string(height));
  }
  const std::ptrdiff_t row = static_cast<std::ptrdiff_t>(width) * bytes_of_pixel(format);
  if (row_stride == 0) row_stride = row;
  if (row_stride < row && row_stride > -row) {
    throw Error("image from pixels: expected rows at least " + std::to_string(row) + " bytes apart, found " +
                std::to_string(row_stride));
  }
  return public_call("image from pixels", [&] {
    auto data = std::make_shared<Data>();
    data->width = width;
    data->height = height;
    data->format = format;
    data->row_stride = row_stride;
    data->pixels = std::shared_ptr<const std::uint8_t>(std::shared_ptr<void>(), pixels);
    return Image(std::move(data));
  });
}

const Image::Data& Image::data() const {
  if (data_ == nullptr) throw Error("image: expected one with pixels, found one that was moved from");
  return *data_;
}

int Image::width() const { return data().width; }
int Image::height() const { return data().height; }
PixelFormat Image::format() const { return data().format; }
const std::uint8_t* Image::row(int y) const { return data().pixels.get() + data().row_stride * y; }

}  // namespace maskrt
