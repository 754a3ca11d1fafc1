// The IAM decoders of SparseInst.
#pragma once

#include "config.h"

namespace maskrt::weights {

/// What a decoder gives.
struct DecoderOutputs {
  graph::ValueId class_logits = -1, objectness_logits = -1, mask_logits = -1;
};

/// BaseIAMDecoder, GroupIAMDecoder and GroupIAMSoftDecoder.
DecoderOutputs build_iam_decoder(const DecoderConfig& config, graph::ValueId encoder, Layers& net);

}  // namespace maskrt::weights
