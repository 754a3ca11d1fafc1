// The configs that SparseInst's authors published.
#pragma once

#include <vector>

#include "weights_tools/families/family.h"

namespace maskrt::weights {

std::vector<PublishedConfig> published_sparse_inst();

}  // namespace maskrt::weights
