// stb_image behind a fence: its memory is counted, bounded and zeroed, because damaged files make it read tables that
// were never filled and grow buffers as long as the data lead it on.
#include "stb.h"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>

#include "maskrt/types.hpp"

namespace maskrt::image {
namespace {

thread_local std::size_t memory_left = 0;

/// Stands before each block that the decoder gets.
struct alignas(std::max_align_t) BlockHeader {
  std::size_t size;
};

void* take(std::size_t size) {
  if (size > memory_left) return nullptr;
  auto* header = static_cast<BlockHeader*>(std::calloc(1, sizeof(BlockHeader) + size));
  if (header == nullptr) return nullptr;
  header->size = size;
  memory_left -= size;
  return header + 1;
}

void give(void* block) {
  if (block == nullptr) return;
  BlockHeader* header = static_cast<BlockHeader*>(block) - 1;
  memory_left += header->size;
  std::free(header);
}

void* take_more(void* block, std::size_t old_size, std::size_t size) {
  void* larger = take(size);
  if (larger == nullptr) return nullptr;
  if (block != nullptr) std::memcpy(larger, block, std::min(old_size, size));
  give(block);
  return larger;
}

}  // namespace
}  // namespace maskrt::image

#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_ONLY_JPEG
#define STBI_ONLY_PNG
#define STBI_NO_STDIO
#define STBI_NO_LINEAR
#define STBI_NO_HDR
#define STBI_MAX_DIMENSIONS (1 << 28)
#define STBI_ASSERT(condition) static_cast<void>(0)
#define STBI_MALLOC(size) maskrt::image::take(size)
#define STBI_REALLOC_SIZED(block, old_size, size) maskrt::image::take_more(block, old_size, size)
#define STBI_FREE(block) maskrt::image::give(block)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wall"
#pragma GCC diagnostic ignored "-Wextra"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunused-function"
#include <stb/stb_image.h>
#pragma GCC diagnostic pop

namespace maskrt::image {
namespace {

/// A reader callback for stb that detects reads beyond the end of the file.
struct Source {
  Bytes rest;
  bool ran_dry = false;
};

int read(void* user, char* data, int size) {
  auto& source = *static_cast<Source*>(user);
  const std::size_t count = std::min(source.rest.size(), static_cast<std::size_t>(std::max(0, size)));
  if (count == 0 && size > 0) source.ran_dry = true;
  std::copy_n(reinterpret_cast<const char*>(source.rest.data()), count, data);
  source.rest = source.rest.subspan(count);
  return static_cast<int>(count);
}

void skip(void* user, int count) {
  auto& source = *static_cast<Source*>(user);
  source.rest = source.rest.subspan(std::min(source.rest.size(), static_cast<std::size_t>(std::max(0, count))));
}

int at_end(void* user) { return static_cast<Source*>(user)->rest.empty() ? 1 : 0; }

}  // namespace

void StbFree::operator()(std::uint8_t* pixels) const { give(pixels); }

StbPixels decode_with_stb(Bytes file, std::int64_t width, std::int64_t height, std::size_t memory) {
  memory_left = memory;
  Source source{file, false};
  const stbi_io_callbacks callbacks{read, skip, at_end};
  int found_width = 0, found_height = 0, channels = 0;
  StbPixels pixels(stbi_load_from_callbacks(&callbacks, &source, &found_width, &found_height, &channels, 3));
  if (pixels == nullptr) {
    const char* reason = stbi_failure_reason();
    throw Error(std::string("the picture is damaged or of a kind not supported: ") +
                (reason != nullptr ? reason : "decoding failed"));
  }
  if (source.ran_dry) throw Error("the picture is truncated or damaged: its data end before its last pixel");
  if (found_width != width || found_height != height) {
    throw Error("the picture is damaged: expected " + std::to_string(width) + " x " + std::to_string(height) +
                " pixels, the decoder made " + std::to_string(found_width) + " x " + std::to_string(found_height));
  }
  return pixels;
}

}  // namespace maskrt::image
