// Chips that plans, predictions and bounds are made for where no GPU is looked at.
#pragma once

#include "kernels/cuda/launch.h"

namespace maskrt::testing {

/// With 132, 108 and 40 multiprocessors.
inline constexpr kernels::Chip h200 = {90, 132, 232448, 233472, 60u << 20}, a100 = {80, 108, 166912, 167936, 40u << 20},
                               t4 = {75, 40, 65536, 65536, 4u << 20};

/// An H200's operations and bytes a second: fp16 on tensor cores and memory as measured on such chips, tf32 and fp32 as
/// sold.
inline constexpr double h200_fp16_flops = 790e12, h200_tf32_flops = 494e12, h200_fp32_flops = 67e12;
inline constexpr double h200_bytes = 4.3e12;

}  // namespace maskrt::testing
