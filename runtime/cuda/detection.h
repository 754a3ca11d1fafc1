// From pixels to instances at one go: one recorded graph, whose parameters lie in a block that each call sends along.
#pragma once

#include <optional>

#include "event.h"
#include "graph.h"
#include "kernels/postprocess/postprocess_cuda.h"
#include "session_stream.h"
#include "staged_blocks.h"

namespace maskrt::cuda {

/// For one program in its place. Belongs to its session's thread.
class Detection {
 public:
  /// The program, what it is bound to and the stream outlive this.
  Detection(SessionStream& stream, const Program& program, const Addresses& addresses,
            const kernels::Normalisation& normalisation);

  Detections run(std::span<const ImageToProcess> images, const DetectionOptions& options, StageSeconds& seconds);
  /// Waits for nothing but memory that grows and pixels of an earlier call that are still on their way.
  DeviceResults enqueue(std::span<const ImageToProcess> images, const DetectionOptions& options);

 private:
  /// One call, its pixels on the device.
  struct Call {
    std::vector<kernels::Pixels> pixels;
    std::vector<kernels::Geometry> geometries;
    kernels::PostprocessSettings settings;
    MaskForm mask_form;
  };
  Call receive(std::span<const ImageToProcess> images, const DetectionOptions& options, const Event* before);
  void describe(const Call& call);
  void compute(const Call& call);
  void postprocess(MaskForm form);
  kernels::PostprocessResult fetch_result();
  bool make_room(const kernels::cuda::PostprocessHeader& header, MaskForm form);
  template <typename Part>
  std::span<const Part> fetch_masks(const SessionStream::GrowingDeviceMemory& memory, std::uint64_t count);

  void launch_all(MaskForm form);
  const GraphExec& graph(MaskForm form);
  std::size_t usual_runs(std::span<const kernels::Geometry> images) const;

  SessionStream& stream_;
  const Program& program_;
  Addresses addresses_;
  kernels::Normalisation normalisation_;
  kernels::Tensor input_;
  kernels::PostprocessPlan plan_;

  // One block for each call: what pre-processing reads, then what post-processing reads.
  std::size_t call_offset_ = 0;
  StagedBlocks host_calls_;
  StreamMemory call_;
  StreamMemory workspace_;
  StreamMemory result_;
  PinnedMemory host_result_;
  Event sending_, sent_, computed_, fetched_;
  std::optional<GraphExec> graphs_[2];  // by MaskForm
  bool workspace_clear_ = false;
};

}  // namespace maskrt::cuda
