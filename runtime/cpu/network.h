// A network on the CPU: its graph, its prepared weights, what was measured.
#pragma once

#include "conv_chooser.h"
#include "runtime/device.h"
#include "weight_store.h"

namespace maskrt::cpu {

class CpuNetwork final : public Network {
 public:
  CpuNetwork(graph::Graph graph, Precision precision);
  /// Measures convolutions whose shapes are new, then builds the program. One network of the process at a time; others
  /// wait.
  Program compile(std::int64_t batch, std::int64_t height, std::int64_t width, int threads) override;
  NetworkMemory memory() const override { return {weights_.bytes()}; }
  const graph::Graph& graph() const override { return graph_; }

 private:
  const graph::Graph graph_;
  const Precision precision_;
  ConvChooser chooser_;
  WeightStore weights_;
};

}  // namespace maskrt::cpu
