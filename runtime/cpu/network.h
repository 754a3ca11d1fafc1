// A network on the CPU: its graph, its prepared weights, what was measured.
#pragma once

#include "conv_chooser.h"
#include "precision_plan.h"
#include "runtime/device.h"
#include "weight_store.h"

namespace maskrt::cpu {

class CpuNetwork final : public Network {
 public:
  CpuNetwork(graph::LoweredNetwork network, Precision precision);
  /// Measures convolutions whose shapes are new unless times of a file or a rule decide, then builds the program. One
  /// network of the process at a time; others wait.
  Program compile(std::int64_t batch, std::int64_t height, std::int64_t width, int threads) override;
  NetworkMemory memory() const override { return {weights_.bytes()}; }
  void measure_nothing() override;
  std::string use_tuning(const std::string& file) override;
  std::string tune(std::int64_t batch, std::int64_t height, std::int64_t width, DeviceStream& stream,
                   const TuningProgress& progress) override;
  const graph::LoweredNetwork& network() const override { return network_; }

 private:
  PrecisionPlan plan_precision(const std::vector<graph::Extent>& extents, ConvChooser& chooser, int threads) const;

  const graph::LoweredNetwork network_;
  const Precision precision_;
  ConvTimes tuning_;  // the file's
  ConvChooser chooser_;
  WeightStore weights_;
};

}  // namespace maskrt::cpu
