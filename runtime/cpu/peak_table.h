// What the processor's cores do in a second at best: the roofline that layers are held against.
#pragma once

#include <map>
#include <utility>

#include "runtime/device.h"
#include "runtime/support/fork_aware_mutex.h"

namespace maskrt::cpu {

/// Measured once for each precision and number of threads, by loops that do nothing else: multiply-adds in registers
/// (for bf16 on a processor with AMX: what a convolution in the caches reaches), reads of memory far larger than the
/// last cache, and reads of what a core's own cache holds. The best of several short runs, since other programs may
/// have the cores meanwhile. Takes some 50 ms and, meanwhile, up to 128 MB. Thread-safe.
class PeakTable {
 public:
  PeakRates of(Precision precision, int threads);

 private:
  ForkAwareMutex mutex_{"measuring the processor"};
  std::map<std::pair<Precision, int>, PeakRates> measured_;
};

}  // namespace maskrt::cpu
