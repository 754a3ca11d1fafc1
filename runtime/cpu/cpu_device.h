// The CPU as a device: oneDNN and OpenMP.
#pragma once

#include "runtime/device.h"

namespace maskrt::cpu {

class CpuDevice final : public Device {
 public:
  std::string name() const override { return "cpu"; }
  std::string description() const override;
  std::unique_ptr<Network> prepare(graph::Graph graph, Precision precision) override;
  std::byte* allocate(std::size_t bytes) override;
  void release(std::byte* memory, std::size_t bytes) noexcept override;
  void run(std::span<const Step> steps, const Addresses& addresses, int threads, std::vector<double>* seconds) override;
  void preprocess(std::span<const ImageToProcess> images, const kernels::Normalisation& normalisation,
                  const kernels::Tensor& input, int threads) override;
  std::vector<std::vector<kernels::DetectedInstance>> postprocess(std::span<const ImageToProcess> images,
                                                                  const kernels::Tensor& class_logits,
                                                                  const kernels::Tensor& objectness_logits,
                                                                  const kernels::Tensor& mask_logits,
                                                                  const kernels::PostprocessSettings& settings,
                                                                  int threads) override;
  std::vector<float> read(const kernels::Tensor& tensor, bool list) override;
  void write(const kernels::Tensor& tensor, std::span<const float> nchw) override;
};

}  // namespace maskrt::cpu
