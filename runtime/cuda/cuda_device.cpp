#include "cuda_device.h"

#include <unistd.h>

#include "network.h"
#include "peak.h"
#include "session_stream.h"

namespace maskrt::cuda {

CudaDevice::CudaDevice(int ordinal) : library_(Context::of_device(ordinal)), opened_by_(::getpid()) {}

std::string CudaDevice::name() const { return "cuda:" + std::to_string(library_.context()->ordinal()); }

std::string CudaDevice::description() const {
  const Context& context = *library_.context();
  const int capability = context.chip().compute_capability, version = context.driver().version();
  return context.name() + ", compute capability " + std::to_string(capability / 10) + "." +
         std::to_string(capability % 10) + ", driver for CUDA " + std::to_string(version / 1000) + "." +
         std::to_string(version % 1000 / 10);
}

std::set<std::string, std::less<>> CudaDevice::wanted_rewrites() const {
  return {"pair-convs", "resize-masks-late", "upsample-residual", "pyramid-pool",   "regroup-linear", "linear-heads",
          "stem-pool",  "pooled-conv",       "late-logits-bias",  "late-positions", "sum-resized"};
}

PeakRates CudaDevice::peak(Precision precision, int /*threads*/) { return peak_of(*library_.context(), precision); }

void CudaDevice::check_process() const {
  if (::getpid() != opened_by_)
    throw Error(name() +
                ": expected the process that opened the GPU, found a child that fork made of it: a GPU's context " +
                "does not survive a fork; fork first, then load models in the child");
}

std::unique_ptr<Network> CudaDevice::prepare(graph::LoweredNetwork network, Precision precision) {
  const bool has_tf32 = library_.context()->chip().compute_capability >= 80;
  if (precision == Precision::bf16 || (precision == Precision::tf32 && !has_tf32))
    throw Error(name() + ": expected fp32 or fp16" + (has_tf32 ? " or tf32" : "") + ", found " +
                std::string(name_of(precision)));
  return std::make_unique<CudaNetwork>(std::move(network), precision, library_);
}

std::unique_ptr<DeviceStream> CudaDevice::open_stream(const StreamOptions& options) {
  return std::make_unique<SessionStream>(library_, options);
}

}  // namespace maskrt::cuda
