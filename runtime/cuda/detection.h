// From pixels to instances at one go: one recorded graph, whose parameters lie in a block that each call sends along.
#pragma once

#include <optional>

#include "event.h"
#include "graph.h"
#include "kernels/postprocess/postprocess_cuda.h"
#include "session_stream.h"

namespace maskrt::cuda {

/// For one program in its place. Belongs to its session's thread.
class Detection {
 public:
  /// The program, what it is bound to and the stream outlive this.
  Detection(SessionStream& stream, const Program& program, const Addresses& addresses,
            const kernels::Normalisation& normalisation);

  Detections run(std::span<const ImageToProcess> images, const kernels::PostprocessSettings& settings,
                 StageSeconds& seconds);

 private:
  void describe(std::span<const kernels::Pixels> pixels, std::span<const ImageToProcess> images,
                std::span<const kernels::Geometry> geometries, const kernels::PostprocessSettings& settings);
  void send_call();
  void postprocess();
  void fetch_result();
  void launch_all();

  SessionStream& stream_;
  const Program& program_;
  Addresses addresses_;
  kernels::Normalisation normalisation_;
  kernels::Tensor input_;
  kernels::PostprocessPlan plan_;

  // One block for each call: what pre-processing reads, then what post-processing reads.
  std::size_t call_offset_ = 0;
  PinnedMemory host_call_;
  DeviceMemory call_;
  DeviceMemory workspace_;
  DeviceMemory result_;
  PinnedMemory host_result_;
  Event sending_, sent_, computed_, fetched_;
  std::optional<GraphExec> graph_;
  bool workspace_clear_ = false;
};

}  // namespace maskrt::cuda
