// Files that break their format's rules in ways that readers are expected to put up with, made regular for decoders
// that do not.
#pragma once

#include <vector>

#include "byte_reader.h"

namespace maskrt::image {

/// The same JPEG picture without what lies between its segments, with the Huffman tables that Motion JPEG leaves out,
/// and with markers that lead stb_image to the colours that libjpeg finds. read_jpeg_header has accepted the file.
std::vector<std::byte> regular_jpeg(Bytes file);

/// The same PNG picture with a palette of 256 colours, black for those that are missing, without empty IDAT chunks,
/// with what is there of a last one made a whole one, and ended by an IEND chunk. read_png_header has accepted the
/// file.
std::vector<std::byte> regular_png(Bytes file);

}  // namespace maskrt::image
