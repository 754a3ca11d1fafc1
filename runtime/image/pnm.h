// PGM and PPM (P5, P6).
#pragma once

#include <vector>

#include "byte_reader.h"

namespace maskrt::image {

/// RGB pixels, dense rows, of a file whose header read_pnm_header has accepted.
std::vector<std::uint8_t> decode_pnm(Bytes file);

}  // namespace maskrt::image
