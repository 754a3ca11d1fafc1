// Parameters of the kernels of resize.cu.
#pragma once

#include "kernels/cuda/map.h"

namespace maskrt::kernels::cuda {

struct UpsampleNearestParams {
  Map in, out;
  std::int32_t factor;
};

struct ResizeSumParams {
  static constexpr int most_inputs = 8;
  struct Input {
    Map map;
    float row_step, column_step;  ///< source positions for each destination position
  };
  Input inputs[most_inputs];
  Map out;
  std::int32_t count;
  /// 1 where the output divides into aligned eights of channels, and the inputs have all of these, aligned too.
  std::int32_t vectors;
};

}  // namespace maskrt::kernels::cuda
