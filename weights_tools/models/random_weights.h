// Weights for a network that nobody trained: for benchmarks and for tests, where a download must not be needed.
#pragma once

#include <memory>

#include "weight_source.h"
#include "weights_tools/config/sparse_inst_config.h"

namespace maskrt::weights {

/// Every tensor the config asks for, at the config's widths, in fp32: the same numbers each time on every machine.
/// Activations stay near 1 at any depth, the maps select places, some scores pass the threshold and masks have shapes.
/// Throws Error (while building) for a tensor beyond 2^31 bytes.
std::shared_ptr<const WeightSource> random_weights(const SparseInstConfig& config);

}  // namespace maskrt::weights
