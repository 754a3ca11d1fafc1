// The configs that FastInst's authors published.
#pragma once

#include <vector>

#include "weights_tools/families/family.h"

namespace maskrt::weights {

std::vector<PublishedConfig> published_fast_inst();

}  // namespace maskrt::weights
