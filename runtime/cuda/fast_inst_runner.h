// FastInst's post-processing on a GPU: instances, classes of pixels, segments.
#pragma once

#include <optional>

#include "instance_runner.h"
#include "kernels/heads/fast_inst/fast_inst_cuda.h"

namespace maskrt::cuda {

class FastInstRunner final : public HeadRunner {
 public:
  FastInstRunner(SessionStream& stream, const graph::FastInstHead& head, const Program& program,
                 const Addresses& addresses);

  std::size_t call_bytes() const override;
  void describe(const HeadCall& call, std::span<std::byte> block) override;
  void clear() override;
  void launch(const std::byte* block, Task task, MaskForm form) override;
  Task usual_task() const override { return usual_task_; }
  std::vector<Detected> read(const HeadCall& call, const std::function<void()>& launch_again,
                             const Event& fetched) override;
  DeviceResults prepare_device_results(const HeadCall& call) override;

 private:
  std::span<const std::int32_t> fetch_numbers(const HeadCall& call, const Event& fetched);

  SessionStream& stream_;
  Task usual_task_;
  StreamMemory things_;
  kernels::FastInstPlan plan_;
  // What the head does of these.
  std::optional<InstanceRunner> instances_;
  std::optional<kernels::FastInstClassMap> classes_;
  std::optional<kernels::FastInstSegmentMap> segments_;
  StreamMemory class_workspace_, segment_workspace_, segment_result_;
  PinnedMemory host_segments_;
};

}  // namespace maskrt::cuda
