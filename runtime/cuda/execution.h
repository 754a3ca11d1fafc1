// A program bound to device memory, its launches recorded once: the network alone, and everything from pixels to masks.
#pragma once

#include <optional>

#include "detection.h"
#include "graph.h"
#include "session_stream.h"

namespace maskrt::cuda {

class CudaExecution final : public Execution {
 public:
  CudaExecution(SessionStream& stream, const Program& program, const Addresses& addresses,
                const kernels::Normalisation& normalisation);
  double run(std::vector<double>* seconds) override;
  std::vector<Detected> detect(std::span<const ImageToProcess> images, const DetectionOptions& options,
                               StageSeconds& seconds) override;
  StageSeconds time_stages(std::span<const ImageToProcess> images, const DetectionOptions& options) override;
  DeviceResults enqueue(std::span<const ImageToProcess> images, const DetectionOptions& options) override;

 private:
  Detection& detection();

  SessionStream& stream_;
  const Program& program_;
  Addresses addresses_;
  GraphExec network_;
  std::optional<Detection> detection_;  ///< where the program has a head that finds something
};

}  // namespace maskrt::cuda
