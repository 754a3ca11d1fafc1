#include "png.h"

#include <string>

#include "graph/safetensors.h"
#include "maskrt/types.hpp"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#define STB_IMAGE_WRITE_STATIC
#define STB_IMAGE_WRITE_IMPLEMENTATION
#include <stb/stb_image_write.h>
#pragma GCC diagnostic pop

namespace maskrt::cli {
namespace {

void append(void* context, void* data, int size) {
  const auto* bytes = static_cast<const std::byte*>(data);
  auto& out = *static_cast<std::vector<std::byte>*>(context);
  out.insert(out.end(), bytes, bytes + size);
}

}  // namespace

std::vector<std::byte> encode_png(std::span<const std::uint8_t> pixels, int width, int height, int channels) {
  std::vector<std::byte> file;
  if (stbi_write_png_to_func(append, &file, width, height, channels, pixels.data(), width * channels) == 0)
    throw Error("cannot encode a PNG of " + std::to_string(width) + "x" + std::to_string(height) + " pixels");
  return file;
}

void write_png(const std::filesystem::path& path, std::span<const std::uint8_t> pixels, int width, int height,
               int channels) {
  graph::write_file(path, encode_png(pixels, width, height, channels));
}

std::vector<std::byte> encode_jpeg(std::span<const std::uint8_t> rgb, int width, int height, int quality) {
  std::vector<std::byte> file;
  if (stbi_write_jpg_to_func(append, &file, width, height, 3, rgb.data(), quality) == 0)
    throw Error("cannot encode a JPEG of " + std::to_string(width) + "x" + std::to_string(height) + " pixels");
  return file;
}

}  // namespace maskrt::cli
