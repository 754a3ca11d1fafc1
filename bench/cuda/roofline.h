// Roofline: the peak rates that kernels are compared with.
#pragma once

#include <algorithm>

#include "runtime/cuda/peak.h"
#include "testing/chips.h"

namespace maskrt::bench {

/// Seconds that the arithmetic and the memory need at least.
inline double bound_seconds(double flops, double bytes, const PeakRates& peak) {
  return std::max(peak.flops > 0 ? flops / peak.flops : 0, peak.bytes > 0 ? bytes / peak.bytes : 0);
}

/// What testing/chips.h says of chips like an H200, what the driver tells of others.
inline PeakRates peak_for_bounds(const cuda::Context& context, Precision precision) {
  if (context.chip().compute_capability != testing::h200.compute_capability ||
      context.chip().multiprocessors != testing::h200.multiprocessors)
    return cuda::peak_of(context, precision);
  switch (precision) {
    case Precision::fp32:
      return {testing::h200_fp32_flops, testing::h200_bytes};
    case Precision::tf32:
      return {testing::h200_tf32_flops, testing::h200_bytes};
    case Precision::bf16:
    case Precision::fp16:
      return {testing::h200_fp16_flops, testing::h200_bytes};
  }
  return {};
}

}  // namespace maskrt::bench
