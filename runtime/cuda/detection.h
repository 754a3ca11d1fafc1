// From pixels to results at one go: one recorded graph, whose parameters lie in a block that each call sends along.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <utility>

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
  /// run(), with the three stages of its graph launched one after the other; gives what they take.
  StageSeconds time_stages(std::span<const ImageToProcess> images, const DetectionOptions& options);
  /// Waits for nothing but memory that grows and pixels of an earlier call that are still on their way.
  DeviceResults enqueue(std::span<const ImageToProcess> images, const DetectionOptions& options);

 private:
  /// One call, its pixels on the device.
  struct Call : HeadCall {
    std::vector<kernels::Pixels> pixels;
  };
  Call receive(std::span<const ImageToProcess> images, const DetectionOptions& options, const Event* before);
  void describe(const Call& call);
  /// Has `launch` put launches on the stream, the head's among them, with the head's memory fit for them.
  template <typename Launch>
  void with_clear_head(const Launch& launch);
  void compute(const Call& call);
  /// Waits for a call's results; they are computed again where they lacked room.
  std::vector<Detected> read(const Call& call);

  void launch_preprocessing();
  void launch_network();
  void launch_all(Task task, MaskForm form);
  const GraphExec& graph(Task task, MaskForm form);

  SessionStream& stream_;
  const Program& program_;
  Addresses addresses_;
  kernels::Normalisation normalisation_;
  kernels::Tensor input_;
  std::unique_ptr<HeadRunner> head_;

  CallBlock block_;
  Event sending_, sent_, computed_, fetched_;
  std::map<std::pair<Task, MaskForm>, GraphExec> graphs_;
  std::optional<GraphExec> network_;  // alone, once its stages are timed
  bool head_clear_ = false;
};

}  // namespace maskrt::cuda
