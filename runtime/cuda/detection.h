// From pixels to results at one go: one recorded graph, whose parameters lie in a block that each call sends along.
#pragma once

#include <memory>
#include <optional>

#include "call_block.h"
#include "event.h"
#include "graph.h"
#include "head_runner.h"
#include "session_stream.h"

namespace maskrt::cuda {

/// For one program in its place. Belongs to its session's thread.
class Detection {
 public:
  /// The program, what it is bound to and the stream outlive this.
  Detection(SessionStream& stream, const Program& program, const Addresses& addresses,
            const kernels::Normalisation& normalisation, std::unique_ptr<HeadRunner> head);

  std::vector<Detected> run(std::span<const ImageToProcess> images, const DetectionOptions& options,
                            StageSeconds& seconds);
  /// Waits for nothing but memory that grows and pixels of an earlier call that are still on their way.
  DeviceResults enqueue(std::span<const ImageToProcess> images, const DetectionOptions& options);

 private:
  /// One call, its pixels on the device.
  struct Call : HeadCall {
    std::vector<kernels::Pixels> pixels;
  };
  Call receive(std::span<const ImageToProcess> images, const DetectionOptions& options, const Event* before);
  void describe(const Call& call);
  void compute(const Call& call);

  void launch_all(MaskForm form);
  const GraphExec& graph(MaskForm form);

  SessionStream& stream_;
  const Program& program_;
  Addresses addresses_;
  kernels::Normalisation normalisation_;
  kernels::Tensor input_;
  std::unique_ptr<HeadRunner> head_;

  CallBlock block_;
  Event sending_, sent_, computed_, fetched_;
  std::optional<GraphExec> graphs_[2];  // by MaskForm
  bool head_clear_ = false;
};

}  // namespace maskrt::cuda
