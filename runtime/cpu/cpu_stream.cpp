#include "cpu_stream.h"

#include "aligned_bytes.h"
#include "head_runner.h"
#include "runtime/host_order.h"
#include "runtime/support/clock.h"

namespace maskrt::cpu {
namespace {

/// The stages one after another, on the session's team.
class CpuExecution final : public Execution {
 public:
  CpuExecution(CpuStream& stream, const Program& program, const Addresses& addresses,
               const kernels::Normalisation& normalisation)
      : stream_(stream),
        program_(program),
        addresses_(addresses),
        normalisation_(normalisation),
        head_(make_head_runner(program, addresses)) {}

  double run(std::vector<double>* seconds) override {
    const auto begin = Clock::now();
    if (seconds == nullptr) {
      stream_.run(program_.steps, addresses_);
      return seconds_since(begin);
    }
    seconds->clear();
    stream_.perform([&] {
      for (const Step& step : program_.steps) {
        const auto start = Clock::now();
        step.run(addresses_);
        seconds->push_back(seconds_since(start));
      }
    });
    return seconds_since(begin);
  }

  std::vector<Detected> detect(std::span<const ImageToProcess> images, const DetectionOptions& options,
                               StageSeconds& seconds) override {
    if (head_ == nullptr) throw Error("cpu: expected a network with a head, found one that finds nothing");
    auto start = Clock::now();
    stream_.preprocess(images, normalisation_, bound(program_.input, addresses_));
    seconds.preprocess = seconds_since(start);

    seconds.network = run(nullptr);

    start = Clock::now();
    std::vector<Detected> found;
    stream_.perform([&] { found = head_->run(images, options); });
    seconds.postprocess = seconds_since(start);
    return found;
  }

 private:
  CpuStream& stream_;
  const Program& program_;
  Addresses addresses_;
  kernels::Normalisation normalisation_;
  std::unique_ptr<HeadRunner> head_;
};

}  // namespace

std::byte* CpuStream::allocate(std::size_t bytes) { return map_pages(bytes); }
void CpuStream::release(std::byte* memory, std::size_t bytes) noexcept { unmap_pages(memory, bytes); }

std::unique_ptr<Execution> CpuStream::bind(const Program& program, const Addresses& addresses,
                                           const kernels::Normalisation& normalisation) {
  return std::make_unique<CpuExecution>(*this, program, addresses, normalisation);
}

void CpuStream::run(std::span<const Step> steps, const Addresses& addresses) {
  perform([&] {
    for (const Step& step : steps) step.run(addresses);
  });
}

void CpuStream::preprocess(std::span<const ImageToProcess> images, const kernels::Normalisation& normalisation,
                           const kernels::Tensor& input) {
  perform([&] {
    for (std::size_t b = 0; b < images.size(); ++b) {
      const kernels::Geometry& geometry = images[b].geometry;
      if (images[b].on_device) throw Error("cpu: expected pictures in host memory, found one in device memory");
      kernels::preprocess_cpu(images[b].pixels, geometry.resized_width, geometry.resized_height, normalisation, input,
                              static_cast<std::int64_t>(b));
    }
  });
}

std::vector<float> CpuStream::read(const kernels::Tensor& tensor, bool list) { return to_host_order(tensor, list); }

void CpuStream::write(const kernels::Tensor& tensor, std::span<const float> nchw) {
  from_host_order(nchw, tensor, "cpu");
}

}  // namespace maskrt::cpu
