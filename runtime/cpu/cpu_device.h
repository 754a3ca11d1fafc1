// The CPU as a device: oneDNN and OpenMP.
#pragma once

#include "peak_table.h"
#include "runtime/device.h"

namespace maskrt::cpu {

class CpuDevice final : public Device {
 public:
  CpuDevice();
  std::string name() const override { return "cpu"; }
  std::string description() const override;
  PeakRates peak(Precision precision, int threads) override { return peaks_.of(precision, threads); }
  Precision default_precision() const override { return Precision::fp32; }
  std::unique_ptr<Network> prepare(graph::LoweredNetwork network, Precision precision) override;
  std::unique_ptr<DeviceStream> open_stream(const StreamOptions& options) override;

 private:
  PeakTable peaks_;
};

}  // namespace maskrt::cpu
