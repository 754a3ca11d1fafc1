// A program bound to device memory, its launches recorded once.
#pragma once

#include <optional>

#include "graph.h"
#include "session_stream.h"

namespace maskrt::cuda {

class CudaExecution final : public Execution {
 public:
  CudaExecution(SessionStream& stream, const Program& program, const Addresses& addresses);
  void run(std::vector<double>* seconds) override;
  Detections detect(std::span<const ImageToProcess> images, const DetectionSettings& settings,
                    StageSeconds& seconds) override;

  /// Kernels that one run of the network launches.
  int network_kernels() const { return network_kernels_; }

 private:
  kernels::Tensor bind(const Program::Binding& binding) const;

  SessionStream& stream_;
  const Program& program_;
  Addresses addresses_;
  std::optional<GraphExec> network_;
  int network_kernels_ = 0;
};

}  // namespace maskrt::cuda
