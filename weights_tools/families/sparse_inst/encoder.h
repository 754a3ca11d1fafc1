// The instance context encoder of SparseInst.
#pragma once

#include "config.h"

namespace maskrt::weights {

/// InstanceContextEncoder: one map at the finest feature's stride, the value "encoder".
graph::ValueId build_instance_context_encoder(const EncoderConfig& config, const Features& features, Layers& net);

}  // namespace maskrt::weights
