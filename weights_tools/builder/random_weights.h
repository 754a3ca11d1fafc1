// Weights for a network that nobody trained: for benchmarks and for tests, where a download must not be needed.
#pragma once

#include <memory>
#include <string>

#include "weight_source.h"

namespace maskrt::weights {

/// Every tensor that a builder asks for, at the config's widths, in fp32, drawn as the builder says (fill.h): the same
/// numbers each time on every machine. `seed` stands before each tensor's name.
/// Throws Error (while building) for a tensor beyond 2^31 bytes.
std::shared_ptr<const WeightSource> random_weights(std::string seed);

}  // namespace maskrt::weights
