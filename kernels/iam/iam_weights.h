// What maps become before they weigh features. Also read by device code.
#pragma once

#include <cstdint>

namespace maskrt::kernels {

enum class MapWeights : std::uint8_t {
  plain,    ///< the maps as they are
  sigmoid,  ///< sigmoid, divided by max(its sum over positions, epsilon)
  softmax,  ///< over positions
};

}  // namespace maskrt::kernels
