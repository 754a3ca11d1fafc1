#include "cpu_device.h"

#include <fstream>

#include "conv_problems.h"
#include "cpu_stream.h"
#include "network.h"

namespace maskrt::cpu {
namespace {

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string text; std::getline(file, text);)
    if (text.starts_with("model name")) return text.substr(text.find(':') + 2);
  return "processor";
}

std::string instructions() {
  if (has_isa(dnnl::cpu_isa::avx512_core_bf16)) return "AVX-512 with bf16";
  if (has_isa(dnnl::cpu_isa::avx512_core)) return "AVX-512";
  if (has_isa(dnnl::cpu_isa::avx2)) return "AVX2";
  return "baseline instructions";
}

}  // namespace

std::string CpuDevice::description() const {
  const dnnl_version_t* version = dnnl_version();
  return processor_name() + ", " + instructions() + ", oneDNN " + std::to_string(version->major) + "." +
         std::to_string(version->minor) + "." + std::to_string(version->patch);
}

std::unique_ptr<Network> CpuDevice::prepare(graph::Graph graph, Precision precision) {
  if (precision != Precision::fp32 && precision != Precision::bf16)
    throw Error("cpu: expected fp32 or bf16, found " + std::string(name_of(precision)));
  if (precision == Precision::bf16 && !has_isa(dnnl::cpu_isa::avx512_core_bf16))
    throw Error("cpu: expected a processor with AVX-512 BF16 instructions for bf16, found " + instructions() + " (" +
                processor_name() + ")");
  return std::make_unique<CpuNetwork>(std::move(graph), precision);
}

std::unique_ptr<DeviceStream> CpuDevice::open_stream(const StreamOptions& options) {
  if (options.stream != nullptr || options.allocator.allocate)
    throw Error("cpu: expected a session without a CUDA stream and allocator, found one with them");
  return std::make_unique<CpuStream>(options.threads);
}

}  // namespace maskrt::cpu

/// What the runtime looks up in the library: the device, or null if it speaks another version of the interface.
extern "C" MASKRT_API maskrt::Device* maskrt_device_open(int version) {
  if (version != maskrt::device_interface_version) return nullptr;
  static maskrt::cpu::CpuDevice device;
  return &device;
}
