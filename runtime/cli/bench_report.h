// What `maskrt bench` tells of its measurements.
#pragma once

#include <string>

#include "maskrt/maskrt.hpp"
#include "measure.h"
#include "runtime/device.h"

namespace maskrt::cli {

struct BenchReport {
  ModelInfo info;
  std::string processor;  ///< name of the processor or GPU
  std::string date;       ///< date of the measurement, "2026-11-29"
  PeakRates peak;         ///< peak rates in the model's precision
  Measured measured;
  double load_seconds = 0;
  std::size_t peak_memory = 0;  ///< bytes of the whole process, before anything was measured layer by layer
  int threads = 0, batch = 0;
};

/// Stages and modules, and with `layers` what each layer and each kind of operation takes.
void print_bench(const BenchReport& report, bool layers);

/// All figures as JSON.
std::string bench_json(const BenchReport& report);

}  // namespace maskrt::cli
