// A network with its weights on a GPU.
#pragma once

#include "graph/fused_kernels.h"
#include "kernel_library.h"
#include "kernels/conv/cuda/conv_tuning.h"
#include "runtime/device.h"
#include "runtime/precision_plan.h"
#include "weight_store.h"

namespace maskrt::cuda {

class CudaNetwork final : public Network {
 public:
  CudaNetwork(graph::LoweredNetwork network, Precision precision, KernelLibrary& library);
  /// What values are stored in and nodes compute in, for extents of the graph's values.
  using PlanPrecision = std::function<PrecisionPlan(const graph::Graph&, const std::vector<graph::Extent>&)>;
  /// In more than one precision; fused operations that `kernels` do not take come apart.
  CudaNetwork(graph::LoweredNetwork network, const graph::FusedKernels& kernels, PlanPrecision plan_precision,
              KernelLibrary& library);
  Program compile(std::int64_t batch, std::int64_t height, std::int64_t width, int threads) override;
  NetworkMemory memory() const override { return {weights_.bytes()}; }
  std::string use_tuning(const std::string& file) override;
  std::string tune(std::int64_t batch, std::int64_t height, std::int64_t width, DeviceStream& stream,
                   const TuningProgress& progress) override;
  const graph::LoweredNetwork& network() const override { return network_; }

  /// The distinct convolutions of a shape's program.
  std::vector<kernels::CudaConvProblem> convolutions(std::int64_t batch, std::int64_t height, std::int64_t width);

 private:
  /// The network with its nodes in the order in which programs have them.
  graph::LoweredNetwork ordered(const std::vector<graph::Extent>& extents) const;

  graph::LoweredNetwork network_;
  PlanPrecision plan_precision_;
  KernelLibrary& library_;
  WeightStore weights_;
  kernels::ConvTuning tuning_;
};

}  // namespace maskrt::cuda
