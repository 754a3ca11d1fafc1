// SparseInst's post-processing on a GPU.
#pragma once

#include "head_runner.h"
#include "kernels/heads/sparse_inst/sparse_inst_cuda.h"
#include "memory.h"
#include "stream_memory.h"

namespace maskrt::cuda {

/// The head's plan for a program bound to memory.
kernels::SparseInstPlan plan_of(const graph::SparseInstHead& head, const Program& program, const Addresses& addresses);

class SparseInstRunner final : public HeadRunner {
 public:
  SparseInstRunner(SessionStream& stream, const kernels::SparseInstPlan& plan);

  std::size_t call_bytes() const override;
  void describe(const HeadCall& call, std::span<std::byte> block) override;
  void clear() override;
  void launch(const std::byte* block, MaskForm form) override;
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
  kernels::SparseInstCuda head_;
  StreamMemory workspace_;
  StreamMemory result_;
  PinnedMemory host_result_;
};

}  // namespace maskrt::cuda
