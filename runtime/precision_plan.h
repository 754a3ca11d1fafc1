// What a network's values are stored in and what its nodes compute in: of each one by itself. Each device makes its own
// plan; its program builder follows it.
#pragma once

#include <vector>

#include "maskrt/types.hpp"
#include "precision.h"

namespace maskrt {

struct PrecisionPlan {
  std::vector<DataType> value;  ///< by graph::ValueId: what its node writes it as
  std::vector<Precision> node;  ///< by index: what it multiplies in; of one that multiplies nothing, what it belongs to
};

}  // namespace maskrt
