// The 80 classes of COCO, which most published models were trained on.
#pragma once

#include <vector>

#include "maskrt/types.hpp"

namespace maskrt::weights {

/// In the order of their ids, which run from 1 to 90 with gaps.
std::vector<Category> coco_categories();

}  // namespace maskrt::weights
