// Post-processing on a GPU that ends in instances.
#pragma once

#include "head_runner.h"
#include "kernels/heads/instance_head.h"
#include "memory.h"
#include "stream_memory.h"

namespace maskrt::cuda {

class InstanceRunner final : public HeadRunner {
 public:
  InstanceRunner(SessionStream& stream, std::unique_ptr<kernels::InstanceHead> head);

  std::size_t call_bytes() const override;
  void describe(const HeadCall& call, std::span<std::byte> block) override;
  void clear() override;
  void launch(const std::byte* block, Task task, MaskForm form) override;
  std::vector<Detected> read(const HeadCall& call, const std::function<void()>& launch_again,
                             const Event& fetched) override;
  DeviceResults prepare_device_results(const HeadCall& call) override;

 private:
  kernels::FoundInstances fetch_block();
  bool make_room(const kernels::cuda::InstanceHeader& header, MaskForm form);
  template <typename Part>
  std::span<const Part> fetch_masks(const SessionStream::GrowingDeviceMemory& memory, std::uint64_t count,
                                    const Event& fetched);
  std::size_t usual_runs(std::span<const kernels::Geometry> images) const;

  SessionStream& stream_;
  std::unique_ptr<kernels::InstanceHead> head_;
  StreamMemory workspace_;
  StreamMemory result_;
  PinnedMemory host_result_;
};

}  // namespace maskrt::cuda
