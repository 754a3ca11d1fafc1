// The virtual GPU, where the driver is one: its counters take the place of times.
#pragma once

#include <cstdint>
#include <optional>

#include "runtime/cuda/driver.h"
#include "vgpu.h"

namespace maskrt::bench {

/// What libvgpu.so exports beside the driver's interface.
class VirtualGpu {
 public:
  /// None where the driver is NVIDIA's.
  static std::optional<VirtualGpu> of(const cuda::Driver& driver);
  /// Settings that make it an H200, sample blocks and leave races to the tests, unless the environment says otherwise;
  /// before the driver is opened. Any driver but the virtual one takes no notice.
  static void prepare_environment();

  /// Counters of the kernels that have run since the last call. No work may be pending.
  VgpuCounters take_counters() const;
  /// 0: all blocks.
  void sample_blocks(std::uint32_t blocks) const { set_sample_blocks_(blocks); }

 private:
  decltype(&::vgpuTakeCounters) take_counters_ = nullptr;
  decltype(&::vgpuSetSampleBlocks) set_sample_blocks_ = nullptr;
};

}  // namespace maskrt::bench
