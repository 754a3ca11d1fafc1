// What a GPU's arithmetic and memory allow at best: the bounds that times are held against.
#pragma once

#include "context.h"
#include "runtime/device.h"

namespace maskrt::cuda {

/// Dense products in the precision with fp32 sums, and device memory, at the highest clocks that the driver tells.
/// Chips seldom hold these clocks under load, and boards of one chip may be sold with slower sums. 0 flops for a chip
/// that is not known.
PeakRates peak_of(const Context& context, Precision precision);

}  // namespace maskrt::cuda
