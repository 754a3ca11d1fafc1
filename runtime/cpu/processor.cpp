#include "processor.h"

#include <fstream>

#include "conv_problems.h"

namespace maskrt::cpu {

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string text; std::getline(file, text);) {
    const std::size_t colon = text.find(": ");
    if (text.starts_with("model name") && colon != std::string::npos) return text.substr(colon + 2);
  }
  return "processor";
}

std::string instructions() {
  if (has_isa(dnnl::cpu_isa::avx512_core_bf16)) return "AVX-512 with bf16";
  if (has_isa(dnnl::cpu_isa::avx512_core)) return "AVX-512";
  if (has_isa(dnnl::cpu_isa::avx2)) return "AVX2";
  return "baseline instructions";
}

std::string processor_description() {
  const dnnl_version_t* version = dnnl_version();
  return processor_name() + ", " + instructions() + ", oneDNN " + std::to_string(version->major) + "." +
         std::to_string(version->minor) + "." + std::to_string(version->patch);
}

}  // namespace maskrt::cpu
