// What a pixel format says of its pixels.
#pragma once

#include "maskrt/maskrt.hpp"

namespace maskrt {

/// Bytes of one pixel, each of one channel.
constexpr int bytes_of_pixel(PixelFormat format) { return format == PixelFormat::grey ? 1 : 3; }

}  // namespace maskrt
