// How activation maps become weights of features. Read by host and device code.
#pragma once

#include <cstdint>

namespace maskrt::kernels {

enum class MapWeights : std::uint8_t {
  plain,    ///< the maps themselves
  sigmoid,  ///< sigmoid(map) / max(sum of sigmoid(map) over positions, epsilon)
  softmax,  ///< softmax of the map over positions
};

}  // namespace maskrt::kernels
