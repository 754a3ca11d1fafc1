// Roofline: the peak rates that kernels are compared with.
#pragma once

#include <algorithm>

#include "bench/h200.h"
#include "runtime/cuda/peak.h"

namespace maskrt::bench {

/// Seconds that the arithmetic and the memory need at least.
inline double bound_seconds(double flops, double bytes, const PeakRates& peak) {
  return std::max(peak.flops > 0 ? flops / peak.flops : 0, peak.bytes > 0 ? bytes / peak.bytes : 0);
}

/// The figures of h200.h for chips like an H200; for others those that the driver reports.
inline PeakRates peak_for_bounds(const cuda::Context& context, Precision precision) {
  if (context.chip().compute_capability != kH200.compute_capability ||
      context.chip().multiprocessors != kH200.multiprocessors)
    return cuda::peak_of(context, precision);
  return {precision == Precision::fp16   ? kH200Fp16Flops
          : precision == Precision::tf32 ? kH200Tf32Flops
                                         : kH200Fp32Flops,
          kH200Bytes};
}

}  // namespace maskrt::bench
