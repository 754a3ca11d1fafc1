// libjpeg's errors as reasons: it calls error_exit and must not be returned to, so each call that may fail stands
// behind a setjmp.
#pragma once

#include <csetjmp>
#include <cstdio>
// Needs std::FILE before.
#include <jpeglib.h>

#include "codecs.h"

namespace maskrt::image_library {

struct JpegErrors {
  jpeg_error_mgr manager;  // first, so that libjpeg's pointer to it is one to the whole
  std::jmp_buf failed;
  MaskrtReason* reason;
};

/// Sets up `errors` for cinfo->err. Warnings are not printed; libjpeg counts them in num_warnings.
inline jpeg_error_mgr* jpeg_errors(JpegErrors& errors, MaskrtReason& reason) {
  errors.reason = &reason;
  jpeg_error_mgr* manager = jpeg_std_error(&errors.manager);
  manager->error_exit = [](j_common_ptr info) {
    auto* self = reinterpret_cast<JpegErrors*>(info->err);
    char text[JMSG_LENGTH_MAX];
    info->err->format_message(info, text);
    fail(*self->reason, "libjpeg says: %s", text);
    std::longjmp(self->failed, 1);
  };
  manager->output_message = [](j_common_ptr) {};
  return manager;
}

}  // namespace maskrt::image_library
