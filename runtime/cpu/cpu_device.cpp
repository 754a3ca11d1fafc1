#include "cpu_device.h"

#include <chrono>
#include <fstream>

#include "aligned_bytes.h"
#include "conv_problems.h"
#include "kernels/element.h"
#include "network.h"
#include "openmp_threads.h"

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

/// f(n, element) for the tensor's elements in NCHW order (lists: [B, N, C]).
template <typename F>
void in_host_order(const kernels::Tensor& t, bool list, F&& f) {
  std::size_t n = 0;
  for (std::int64_t b = 0; b < t.batch; ++b) {
    if (list) {
      for (std::int64_t y = 0; y < t.height; ++y)
        for (std::int64_t c = 0; c < t.channels; ++c) f(n++, b, y, 0, c);
      continue;
    }
    for (std::int64_t c = 0; c < t.channels; ++c)
      for (std::int64_t y = 0; y < t.height; ++y)
        for (std::int64_t x = 0; x < t.width; ++x) f(n++, b, y, x, c);
  }
}

std::size_t elements_of(const kernels::Tensor& t) {
  return static_cast<std::size_t>(t.batch * t.height * t.width * t.channels);
}

}  // namespace

std::string CpuDevice::description() const {
  const dnnl_version_t* version = dnnl_version();
  return processor_name() + ", " + instructions() + ", oneDNN " + std::to_string(version->major) + "." +
         std::to_string(version->minor) + "." + std::to_string(version->patch);
}

std::unique_ptr<Network> CpuDevice::prepare(graph::Graph graph, Precision precision) {
  if (precision == Precision::bf16 && !has_isa(dnnl::cpu_isa::avx512_core_bf16))
    throw Error("cpu: expected a processor with AVX-512 BF16 instructions for bf16, found " + instructions() + " (" +
                processor_name() + ")");
  return std::make_unique<CpuNetwork>(std::move(graph), precision);
}

std::byte* CpuDevice::allocate(std::size_t bytes) { return map_pages(bytes); }
void CpuDevice::release(std::byte* memory, std::size_t bytes) noexcept { unmap_pages(memory, bytes); }

void CpuDevice::run(std::span<const Step> steps, const Addresses& addresses, int threads,
                    std::vector<double>* seconds) {
  const OpenMpThreads scope(threads);
  if (seconds == nullptr) {
    for (const Step& step : steps) step.run(addresses);
    return;
  }
  using Clock = std::chrono::steady_clock;
  seconds->clear();
  for (const Step& step : steps) {
    const auto start = Clock::now();
    step.run(addresses);
    seconds->push_back(std::chrono::duration<double>(Clock::now() - start).count());
  }
}

void CpuDevice::preprocess(std::span<const ImageToProcess> images, const kernels::Normalisation& normalisation,
                           const kernels::Tensor& input, int threads) {
  const OpenMpThreads scope(threads);
  for (std::size_t b = 0; b < images.size(); ++b) {
    const kernels::Geometry& geometry = images[b].geometry;
    kernels::preprocess_cpu(images[b].pixels, geometry.resized_width, geometry.resized_height, normalisation, input,
                            static_cast<std::int64_t>(b));
  }
}

std::vector<std::vector<kernels::DetectedInstance>> CpuDevice::postprocess(std::span<const ImageToProcess> images,
                                                                           const kernels::Tensor& class_logits,
                                                                           const kernels::Tensor& objectness_logits,
                                                                           const kernels::Tensor& mask_logits,
                                                                           const kernels::PostprocessSettings& settings,
                                                                           int threads) {
  const OpenMpThreads scope(threads);
  std::vector<std::vector<kernels::DetectedInstance>> found;
  for (std::size_t b = 0; b < images.size(); ++b)
    found.push_back(kernels::postprocess_cpu(class_logits, objectness_logits, mask_logits, static_cast<std::int64_t>(b),
                                             images[b].geometry, settings));
  return found;
}

std::vector<float> CpuDevice::read(const kernels::Tensor& tensor, bool list) {
  std::vector<float> numbers(elements_of(tensor));
  in_host_order(tensor, list,
                [&](std::size_t n, auto b, auto y, auto x, auto c) { numbers[n] = kernels::get(tensor, b, y, x, c); });
  return numbers;
}

void CpuDevice::write(const kernels::Tensor& tensor, std::span<const float> nchw) {
  if (nchw.size() != elements_of(tensor))
    throw Error("cpu: expected " + std::to_string(elements_of(tensor)) + " numbers to write, found " +
                std::to_string(nchw.size()));
  in_host_order(tensor, false,
                [&](std::size_t n, auto b, auto y, auto x, auto c) { kernels::set(tensor, b, y, x, c, nchw[n]); });
}

}  // namespace maskrt::cpu

/// What the runtime looks up in the library: the device, or null if it speaks another version of the interface.
extern "C" MASKRT_API maskrt::Device* maskrt_device_open(int version) {
  if (version != maskrt::device_interface_version) return nullptr;
  static maskrt::cpu::CpuDevice device;
  return &device;
}
