// Decoders of formats that need no library: each writes dense RGB rows of a file that the walk over it has accepted.
#pragma once

#include <cstdint>

#include "byte_reader.h"

namespace maskrt::image {

/// Uncompressed, with bit fields or run-length coded; alpha is dropped.
void decode_bmp(Bytes file, std::uint8_t* rgb);

/// The first frame on its screen; transparent pixels have the colour that the palette gives them.
/// Throws Error where the data end before the last pixel, or are damaged.
void decode_gif(Bytes file, std::uint8_t* rgb);

/// PBM, PGM and PPM, plain or raw. Throws Error where plain text is no number or ends before the last pixel.
void decode_pnm(Bytes file, std::uint8_t* rgb);

}  // namespace maskrt::image
