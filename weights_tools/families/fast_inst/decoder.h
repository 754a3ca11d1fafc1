// The transformer decoder of FastInst.
#pragma once

#include <array>

#include "config.h"

namespace maskrt::weights {

/// What FastInst's head reads (graph::FastInstHead).
struct FastInstOutputs {
  graph::ValueId class_logits = -1, mask_logits = -1, query_positions = -1;
};

/// `levels`: the pixel decoder's, coarse to fine. Makes besides the values "proposal_logits", "query_features" and
/// "mask_logits_0", ..., one for each layer.
FastInstOutputs build_query_decoder(const QueryDecoderConfig& config, const std::array<graph::ValueId, 3>& levels,
                                    Layers& net);

}  // namespace maskrt::weights
