#include "peak.h"

namespace maskrt::cuda {
namespace {

/// Operations of one multiprocessor in one cycle, from NVIDIA's white papers on the architectures; 0: not known.
struct Rates {
  double fp32, tf32, fp16;
};

Rates rates_of(int compute_capability) {
  switch (compute_capability) {
    case 75:
      return {128, 128, 1024};
    case 80:
      return {128, 1024, 2048};
    case 86:
    case 87:
    case 89:
      return {256, 512, 1024};
    case 90:
      return {256, 2048, 4096};
    case 100:
    case 103:
      return {256, 4096, 8192};
    case 120:
    case 121:
      return {256, 512, 1024};
    default:
      return {0, 0, 0};
  }
}

double flops_of(const Rates& rates, Precision precision) {
  switch (precision) {
    case Precision::fp32:
      return rates.fp32;
    case Precision::tf32:
      return rates.tf32;
    case Precision::bf16:
    case Precision::fp16:
      return rates.fp16;
  }
  return 0;
}

}  // namespace

PeakRates peak_of(const Context& context, Precision precision) {
  const kernels::Chip& chip = context.chip();
  const double hertz = 1e3 * context.attribute(CU_DEVICE_ATTRIBUTE_CLOCK_RATE);
  // Memory moves data on both edges of its clock.
  const double transfers = 2e3 * context.attribute(CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE);
  return {flops_of(rates_of(chip.compute_capability), precision) * hertz * chip.multiprocessors,
          transfers * context.attribute(CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH) / 8};
}

}  // namespace maskrt::cuda
