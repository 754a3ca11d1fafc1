#include "stream_queue.h"

#include "memory.h"
#include "tensor_maps.h"

namespace maskrt::cuda {
namespace {

std::string to_string(const kernels::Dim3& d) {
  return std::to_string(d.x) + "x" + std::to_string(d.y) + "x" + std::to_string(d.z);
}

/// "kernel pool/max_pool: max_pool_f16 (grid 4x160x1, block 256x1x1, 0 bytes of shared memory)"
std::string describe(const kernels::KernelLaunch& launch) {
  std::string text = "kernel " + std::string(launch.kernel.file) + ": " + launch.kernel.entry + " (grid " +
                     to_string(launch.grid) + ", block " + to_string(launch.block);
  if (launch.cluster.count() > 1) text += ", cluster " + to_string(launch.cluster);
  return text + ", " + std::to_string(launch.shared_bytes) + " bytes of shared memory)";
}

/// A launch in the driver's words. Points into itself.
class Configuration {
 public:
  /// `overlaps`: whether the launch may overlap the one before it where it wants to.
  Configuration(const kernels::KernelLaunch& launch, CUstream stream, bool overlaps) {
    config_.gridDimX = launch.grid.x;
    config_.gridDimY = launch.grid.y;
    config_.gridDimZ = launch.grid.z;
    config_.blockDimX = launch.block.x;
    config_.blockDimY = launch.block.y;
    config_.blockDimZ = launch.block.z;
    config_.sharedMemBytes = launch.shared_bytes;
    config_.hStream = stream;
    config_.attrs = attributes_;
    if (launch.cluster.count() > 1) {
      CUlaunchAttribute& a = attributes_[config_.numAttrs++];
      a.id = CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION;
      a.value.clusterDim = {launch.cluster.x, launch.cluster.y, launch.cluster.z};
    }
    if (launch.overlaps_previous && overlaps) {
      CUlaunchAttribute& a = attributes_[config_.numAttrs++];
      a.id = CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION;
      a.value.programmaticStreamSerializationAllowed = 1;
    }
  }
  Configuration(const Configuration&) = delete;
  Configuration& operator=(const Configuration&) = delete;
  const CUlaunchConfig* get() const { return &config_; }

 private:
  CUlaunchAttribute attributes_[2] = {};
  CUlaunchConfig config_ = {};
};

}  // namespace

/// Chips newer than 9.0 run the code of compute_80, which has no griddepcontrol.wait; and the graphs of older drivers
/// cannot hold a launch that overlaps another.
bool StreamQueue::may_overlap() const {
  if (chip().path() != kernels::KernelPath::sm90a) return false;
  const Driver& driver = context().driver();
  if (driver.version() >= kProgrammaticEdges) return true;
  CUstreamCaptureStatus capturing = CU_STREAM_CAPTURE_STATUS_NONE;
  driver.cuStreamIsCapturing(stream_, &capturing);
  return capturing == CU_STREAM_CAPTURE_STATUS_NONE;
}

void StreamQueue::launch(const kernels::KernelLaunch& launch) {
  const CUfunction function = library_.get(launch.kernel, launch.shared_bytes);
  const CurrentContext current(context());
  const Configuration configuration(launch, stream_, may_overlap());
  // The driver copies the one parameter, whose size it knows from the kernel.
  void* parameters[] = {const_cast<std::byte*>(launch.parameters.data())};
  const CUresult status =
      context().driver().cuLaunchKernelEx.status(configuration.get(), function, parameters, nullptr);
  if (status != CUDA_SUCCESS)
    throw DriverError(describe(launch) + ": the CUDA driver answered " + context().driver().describe(status), status);
}

void StreamQueue::set_bytes(void* address, std::uint8_t value, std::size_t bytes) {
  if (bytes == 0) return;
  const CurrentContext current(context());
  context().driver().cuMemsetD8Async(address_of(address), value, bytes, stream_);
}

int StreamQueue::resident_blocks(const kernels::KernelLaunch& launch) {
  const CUfunction function = library_.get(launch.kernel, launch.shared_bytes);
  const CurrentContext current(context());
  int count = 0;
  if (launch.cluster.count() > 1) {
    const Configuration configuration(launch, stream_, false);
    context().driver().cuOccupancyMaxActiveClusters(&count, function, configuration.get());
    return count * static_cast<int>(launch.cluster.count());
  }
  context().driver().cuOccupancyMaxActiveBlocksPerMultiprocessor(
      &count, function, static_cast<int>(launch.block.count()), launch.shared_bytes);
  return count * chip().multiprocessors;
}

kernels::TensorMap StreamQueue::encode(const kernels::TiledMap& map) { return encode_tensor_map(context(), map); }

kernels::TensorMap StreamQueue::encode(const kernels::Im2colMap& map) { return encode_tensor_map(context(), map); }

}  // namespace maskrt::cuda
