#include "cpu_device.h"

#include <cstdlib>

#include "conv_problems.h"
#include "cpu_stream.h"
#include "network.h"
#include "processor.h"

namespace maskrt::cpu {
namespace {

/// oneDNN keeps the last 1024 primitives for whoever asks again, each with the code generated for it: more than a
/// hundred megabytes once many sizes have come by. Programs hold their own. And memory that runs out while a primitive
/// is made leaves an entry there whose key points at freed memory, which a later look-up would read. So there is no
/// such cache, but where the environment or the host program has set a number.
void leave_out_primitive_cache() {
  constexpr int usual = 1024;
  const bool set = std::getenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY") != nullptr ||
                   std::getenv("DNNL_PRIMITIVE_CACHE_CAPACITY") != nullptr;
  if (!set && dnnl::get_primitive_cache_capacity() == usual) dnnl::set_primitive_cache_capacity(0);
}

}  // namespace

CpuDevice::CpuDevice() { leave_out_primitive_cache(); }

std::string CpuDevice::description() const { return processor_description(); }

std::unique_ptr<Network> CpuDevice::prepare(graph::LoweredNetwork network, Precision precision) {
  if (precision != Precision::fp32 && precision != Precision::bf16)
    throw Error("cpu: expected fp32 or bf16, found " + std::string(name_of(precision)));
  if (precision == Precision::bf16 && !has_isa(dnnl::cpu_isa::avx512_core_bf16))
    throw Error("cpu: expected a processor with AVX-512 BF16 instructions for bf16, found " + instructions() + " (" +
                processor_name() + ")");
  return std::make_unique<CpuNetwork>(std::move(network), precision);
}

std::unique_ptr<DeviceStream> CpuDevice::open_stream(const StreamOptions& options) {
  if (options.stream != nullptr || options.allocator.allocate)
    throw Error("cpu: expected a session without a CUDA stream and allocator, found one with them");
  return std::make_unique<CpuStream>(options.threads);
}

}  // namespace maskrt::cpu

/// What the runtime looks up in the library: the device, or null if it speaks another version of the interface.
extern "C" MASKRT_API maskrt::Device* maskrt_device_open(int version) {
  if (version != maskrt::kDeviceInterfaceVersion) return nullptr;
  static maskrt::cpu::CpuDevice device;
  return &device;
}
