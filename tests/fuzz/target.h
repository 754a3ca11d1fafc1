// What all fuzz targets share. A target is one function over the bytes of one file; it ends where the reader answers,
// with a result or with maskrt::Error. Any other exception ends the program, and so does a property that does not hold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string_view>

#include "maskrt/types.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace maskrt::fuzz {

/// Does `read`, to which an Error is an answer too.
template <typename Read>
void answered(const Read& read) {
  try {
    read();
  } catch (const Error& error) {
    if (std::string_view(error.what()).size() < 8) std::abort();  // a sentence says more
  }
}

/// Ends the program where a property of a result does not hold.
inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

}  // namespace maskrt::fuzz
