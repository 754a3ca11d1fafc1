// libpng's errors as reasons: it calls the error function and must not be returned to, so each call that may fail
// stands behind a setjmp.
#pragma once

#include <png.h>

#include <csetjmp>

#include "codecs.h"

namespace maskrt::image_library {

struct PngErrors {
  std::jmp_buf failed;
  MaskrtReason* reason;
};

[[noreturn]] inline void png_failed(png_structp png, png_const_charp text) {
  auto* errors = static_cast<PngErrors*>(png_get_error_ptr(png));
  fail(*errors->reason, "libpng says: %s", text);
  std::longjmp(errors->failed, 1);
}

inline void png_warned(png_structp, png_const_charp) {}

}  // namespace maskrt::image_library
