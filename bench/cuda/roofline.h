// What a GPU can do at best: the bounds that kernels are held against.
#pragma once

#include <algorithm>

#include "kernels/cuda/launch.h"
#include "runtime/cuda/peak.h"

namespace maskrt::bench {

/// An H200, with 132 multiprocessors: fp16 on tensor cores and memory as measured on such chips, fp32 and tf32 as sold.
constexpr kernels::Chip h200 = {90, 132, 232448, 233472, 60u << 20};
constexpr double h200_fp16_flops = 790e12, h200_tf32_flops = 494e12, h200_fp32_flops = 67e12;
constexpr double h200_bytes = 4.3e12;  // a second

/// Seconds that the arithmetic and the memory need at least.
inline double bound_seconds(double flops, double bytes, const PeakRates& peak) {
  return std::max(peak.flops > 0 ? flops / peak.flops : 0, peak.bytes > 0 ? bytes / peak.bytes : 0);
}

/// What the figures above say of chips like an H200, what the driver tells of others.
inline PeakRates peak_for_bounds(const cuda::Context& context, Precision precision) {
  if (context.chip().compute_capability != h200.compute_capability ||
      context.chip().multiprocessors != h200.multiprocessors)
    return cuda::peak_of(context, precision);
  return {precision == Precision::fp16   ? h200_fp16_flops
          : precision == Precision::tf32 ? h200_tf32_flops
                                         : h200_fp32_flops,
          h200_bytes};
}

}  // namespace maskrt::bench
