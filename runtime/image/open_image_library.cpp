#include "open_image_library.h"

#include "maskrt/types.hpp"
#include "runtime/support/fork_aware_mutex.h"
#include "runtime/support/library_search.h"

namespace maskrt::image {
namespace {

constexpr const char* kFileName = "libmaskrt_images.so";
constexpr const char* kVariable = "MASKRT_IMAGES";

struct Opened {
  bool tried = false;
  const MaskrtImageLibrary* library = nullptr;
  std::string why_not;
};

Opened open() {
  const OptionalLibrary found = open_optional_library(kFileName, kVariable, "maskrt_image_library");
  if (found.place.empty()) return {true, nullptr, found.why_not};
  const auto open_library = reinterpret_cast<MaskrtImageLibraryOpen>(found.entry);
  const auto* library = open_library != nullptr ? open_library(MASKRT_IMAGE_LIBRARY_VERSION) : nullptr;
  if (library == nullptr)
    throw Error("expected an image library of interface version " + std::to_string(MASKRT_IMAGE_LIBRARY_VERSION) +
                ", found another in " + found.place);
  return {true, library, ""};
}

const Opened& opened() {
  static ForkAwareMutex mutex("opening the image library");
  static Opened once;
  const std::lock_guard lock(mutex);
  if (!once.tried) once = open();
  return once;
}

const MaskrtImageLibrary& needed_library() {
  const MaskrtImageLibrary* library = image_library();
  if (library == nullptr) throw Error("expected " + std::string(kFileName) + ": " + why_no_image_library());
  return *library;
}

MaskrtPixels pixels_of(const std::uint8_t* rgb, int width, int height, std::ptrdiff_t row_stride) {
  // Encoders only read.
  return {const_cast<std::uint8_t*>(rgb), static_cast<std::uint32_t>(width), static_cast<std::uint32_t>(height),
          row_stride};
}

/// The file that `encode` makes, copied out of the library's memory.
template <typename Encode>
std::vector<std::byte> encoded(const MaskrtImageLibrary& library, const Encode& encode) {
  MaskrtFile file{};
  MaskrtReason reason{};
  if (encode(&file, &reason) == 0) throw Error(reason.text);
  struct Release {
    const MaskrtImageLibrary& library;
    MaskrtFile& file;
    ~Release() { library.release(&file); }
  } const release{library, file};
  const auto* bytes = reinterpret_cast<const std::byte*>(file.bytes);
  return {bytes, bytes + file.size};
}

}  // namespace

const MaskrtImageLibrary* image_library() { return opened().library; }

std::string why_no_image_library() { return opened().why_not; }

std::vector<std::byte> encode_jpeg(const std::uint8_t* rgb, int width, int height, std::ptrdiff_t row_stride,
                                   int quality, MaskrtSubsampling subsampling) {
  const MaskrtImageLibrary& library = needed_library();
  const MaskrtPixels pixels = pixels_of(rgb, width, height, row_stride);
  return encoded(library, [&](MaskrtFile* file, MaskrtReason* reason) {
    return library.encode_jpeg(&pixels, quality, subsampling, file, reason);
  });
}

std::vector<std::byte> encode_png(const std::uint8_t* rgb, int width, int height, std::ptrdiff_t row_stride,
                                  int compression) {
  const MaskrtImageLibrary& library = needed_library();
  const MaskrtPixels pixels = pixels_of(rgb, width, height, row_stride);
  return encoded(library, [&](MaskrtFile* file, MaskrtReason* reason) {
    return library.encode_png(&pixels, compression, file, reason);
  });
}

}  // namespace maskrt::image
