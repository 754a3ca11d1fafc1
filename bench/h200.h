// The GPU that predictions and bounds are for.
#pragma once

#include "kernels/cuda/launch.h"

namespace maskrt::bench {

/// An H200, with 132 multiprocessors.
constexpr kernels::Chip kH200 = {90, 132, 232448, 233472, 60u << 20};
/// A second: fp16 on tensor cores and memory as measured on such chips, tf32 and fp32 as sold.
constexpr double kH200Fp16Flops = 790e12, kH200Tf32Flops = 494e12, kH200Fp32Flops = 67e12;
constexpr double kH200Bytes = 4.3e12;

}  // namespace maskrt::bench
