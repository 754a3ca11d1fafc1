// A session's work on the CPU: everything happens before the call returns.
#pragma once

#include "runtime/device.h"

namespace maskrt::cpu {

class CpuStream final : public DeviceStream {
 public:
  explicit CpuStream(int threads) : threads_(threads) {}

  std::byte* allocate(std::size_t bytes) override;
  void release(std::byte* memory, std::size_t bytes) noexcept override;
  std::unique_ptr<Execution> bind(const Program& program, const Addresses& addresses,
                                  const kernels::Normalisation& normalisation) override;
  void run(std::span<const Step> steps, const Addresses& addresses) override;
  void preprocess(std::span<const ImageToProcess> images, const kernels::Normalisation& normalisation,
                  const kernels::Tensor& input) override;
  std::vector<float> read(const kernels::Tensor& tensor, bool list) override;
  void write(const kernels::Tensor& tensor, std::span<const float> nchw) override;

  int threads() const { return threads_; }

 private:
  int threads_;
};

}  // namespace maskrt::cpu
