// stb_image behind a fence.
#pragma once

#include <cstdint>
#include <memory>

#include "byte_reader.h"

namespace maskrt::image {

struct StbFree {
  void operator()(std::uint8_t* pixels) const;
};
using StbPixels = std::unique_ptr<std::uint8_t, StbFree>;

/// Decodes a JPEG or PNG file to dense RGB rows; alpha is dropped, 16-bit samples keep their upper byte. The
/// decoder gets zeroed memory, and at most `memory` bytes of it. Throws Error: a reason without the file's name, also
/// where the picture is not width x height, or where its data end before its last pixel. Thread-safe.
StbPixels decode_with_stb(Bytes file, std::int64_t width, std::int64_t height, std::size_t memory);

}  // namespace maskrt::image
