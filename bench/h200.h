// The GPU that predictions and bounds are for.
#pragma once

#include "kernels/cuda/launch.h"

namespace maskrt::bench {

/// An H200, with 132 multiprocessors.
constexpr kernels::Chip h200 = {90, 132, 232448, 233472, 60u << 20};
/// A second: fp16 on tensor cores and memory as measured on such chips, tf32 and fp32 as sold.
constexpr double h200_fp16_flops = 790e12, h200_tf32_flops = 494e12, h200_fp32_flops = 67e12;
constexpr double h200_bytes = 4.3e12;

}  // namespace maskrt::bench
