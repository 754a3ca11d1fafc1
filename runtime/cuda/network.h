// A network with its weights on a GPU.
#pragma once

#include <mutex>

#include "fusions.h"
#include "kernel_library.h"
#include "runtime/device.h"
#include "weight_store.h"

namespace maskrt::cuda {

class CudaNetwork final : public Network {
 public:
  CudaNetwork(graph::Graph graph, Precision precision, KernelLibrary& library);
  Program compile(std::int64_t batch, std::int64_t height, std::int64_t width, int threads) override;
  NetworkMemory memory() const override { return {weights_.bytes()}; }
  const graph::Graph& graph() const override { return graph_; }

 private:
  graph::Graph graph_;
  Precision precision_;
  Fusions fusions_;
  KernelLibrary& library_;
  WeightStore weights_;
};

}  // namespace maskrt::cuda
