// A network with its weights on a GPU.
#pragma once

#include "fusions.h"
#include "kernel_library.h"
#include "kernels/conv/cuda/conv_tuning.h"
#include "runtime/device.h"
#include "weight_store.h"

namespace maskrt::cuda {

class CudaNetwork final : public Network {
 public:
  CudaNetwork(graph::Graph graph, Precision precision, KernelLibrary& library);
  Program compile(std::int64_t batch, std::int64_t height, std::int64_t width, int threads) override;
  NetworkMemory memory() const override { return {weights_.bytes()}; }
  std::string use_tuning(const std::string& file) override;
  std::string tune(std::int64_t batch, std::int64_t height, std::int64_t width, DeviceStream& stream,
                   const TuningProgress& progress) override;
  const graph::Graph& graph() const override { return graph_; }

  /// The distinct convolutions of a shape's program.
  std::vector<kernels::CudaConvProblem> convolutions(std::int64_t batch, std::int64_t height, std::int64_t width);

 private:
  graph::Graph graph_;
  Precision precision_;
  Fusions fusions_;
  KernelLibrary& library_;
  WeightStore weights_;
  kernels::ConvTuning tuning_;
};

}  // namespace maskrt::cuda
