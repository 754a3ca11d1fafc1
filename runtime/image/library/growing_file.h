// An encoded file that grows in memory, for encoders that cannot deal with exceptions.
#pragma once

#include <cstdlib>
#include <cstring>

#include "runtime/image/image_library.h"

namespace maskrt::image_library {

/// Makes room for `capacity` bytes; false where there is no memory, and then nothing has changed.
inline bool reserve(MaskrtFile& file, std::size_t capacity) {
  void* larger = std::realloc(file.bytes, capacity);
  if (larger == nullptr) return false;
  file.bytes = static_cast<std::uint8_t*>(larger);
  return true;
}

}  // namespace maskrt::image_library
