// The pixel decoder of FastInst.
#pragma once

#include <array>

#include "config.h"

namespace maskrt::weights {

/// The three coarsest levels, coarse to fine: the values "pixel_decoder.0" to "pixel_decoder.2".
std::array<graph::ValueId, 3> build_pixel_decoder(const PixelDecoderConfig& config, const Features& features,
                                                  Layers& net);

}  // namespace maskrt::weights
