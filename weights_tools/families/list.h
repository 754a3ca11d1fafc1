// Every model family. A line NAME stands for a function `Family NAME()` in namespace maskrt::weights::families, which
// families/NAME/family.cpp defines.
#pragma once

// clang-format off
#define MASKRT_FAMILIES(X) \
  X(sparse_inst) \
  X(fast_inst)
// clang-format on
