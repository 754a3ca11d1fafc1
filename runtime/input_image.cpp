#include "input_image.h"

#include <algorithm>
#include <cstdlib>

#include "runtime/support/pixel_format.h"

namespace maskrt {
namespace {

kernels::PixelOrder order_of(PixelFormat format) {
  switch (format) {
    case PixelFormat::bgr:
      return kernels::PixelOrder::bgr;
    case PixelFormat::grey:
      return kernels::PixelOrder::grey;
    case PixelFormat::rgb:
      break;
  }
  return kernels::PixelOrder::rgb;
}

ImageToProcess image_of(const kernels::Pixels& pixels, bool on_device) {
  ImageToProcess image;
  image.pixels = pixels;
  image.geometry.original_width = pixels.width;
  image.geometry.original_height = pixels.height;
  image.on_device = on_device;
  return image;
}

ImageToProcess view(const Image& image) {
  const std::ptrdiff_t row_stride = image.height() > 1 ? image.row(1) - image.row(0) : 0;
  return image_of({image.row(0), image.width(), image.height(), row_stride, order_of(image.format())}, false);
}

ImageToProcess view(const DeviceImage& image) {
  if (image.format > PixelFormat::grey)
    throw Error("image in device memory: expected the format rgb, bgr or grey, found number " +
                std::to_string(static_cast<int>(image.format)));
  if (image.pixels == nullptr || image.width < 1 || image.height < 1)
    throw Error("image in device memory: expected at least 1 x 1 pixels, found " + std::to_string(image.width) + " x " +
                std::to_string(image.height) + (image.pixels == nullptr ? " at no address" : ""));
  const std::ptrdiff_t row_bytes = std::ptrdiff_t{image.width} * bytes_of_pixel(image.format);
  const std::ptrdiff_t row_stride = image.row_stride != 0 ? image.row_stride : row_bytes;
  if (std::abs(row_stride) < row_bytes)
    throw Error("image in device memory: expected rows at least " + std::to_string(row_bytes) + " bytes apart, found " +
                std::to_string(row_stride));
  return image_of(
      {static_cast<const std::uint8_t*>(image.pixels), image.width, image.height, row_stride, order_of(image.format)},
      true);
}

ImageToProcess view(const InputImage& image) {
  return std::visit([](const auto& either) { return view(either); }, image);
}

template <typename Picture>
std::vector<ImageToProcess> views(std::span<const Picture> images) {
  std::vector<ImageToProcess> all;
  for (const Picture& image : images) all.push_back(view(image));
  return all;
}

}  // namespace

std::vector<ImageToProcess> images_to_process(std::span<const Image> images) { return views(images); }
std::vector<ImageToProcess> images_to_process(std::span<const InputImage> images) { return views(images); }

ImageSize fit(std::span<ImageToProcess> images, const InputSettings& settings) {
  ImageSize largest{0, 0};
  for (ImageToProcess& image : images) {
    kernels::Geometry& geometry = image.geometry;
    const ImageSize size =
        resized_size({geometry.original_width, geometry.original_height}, settings.min_size, settings.max_size);
    geometry.resized_width = size.width;
    geometry.resized_height = size.height;
    largest = {std::max(largest.width, size.width), std::max(largest.height, size.height)};
  }
  const ImageSize padded{padded_size(largest.width, settings.size_divisibility),
                         padded_size(largest.height, settings.size_divisibility)};
  for (ImageToProcess& image : images) {
    image.geometry.padded_width = padded.width;
    image.geometry.padded_height = padded.height;
  }
  return padded;
}

kernels::Normalisation normalisation_of(const graph::Preprocessing& settings) {
  kernels::Normalisation normalisation;
  normalisation.rgb = settings.rgb;
  std::copy_n(settings.mean, 3, normalisation.mean);
  std::copy_n(settings.std, 3, normalisation.std);
  return normalisation;
}

}  // namespace maskrt
