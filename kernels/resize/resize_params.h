// Parameters of the kernels of resize.cu.
#pragma once

#include "kernels/cuda/map.h"

namespace maskrt::kernels::cuda {

struct UpsampleNearestParams {
  Map in, out;
  std::int32_t factor;
};

struct ResizeSumParams {
  static constexpr int kMostInputs = 8;
  struct Input {
    Map map;
    float row_step, column_step;  ///< source positions a destination position: 1 / scale factor
  };
  Input inputs[kMostInputs];
  Map out;
  std::int32_t count;
  /// 1 where all channels can be read and written in unconditional 16-byte accesses: all maps are aligned, out.block is
  /// a multiple of 8, and every input stores at least out.block channels.
  std::int32_t vectors;
};

}  // namespace maskrt::kernels::cuda
