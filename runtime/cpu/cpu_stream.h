// A session's work on the CPU: everything happens before the call returns.
#pragma once

#include "runtime/device.h"
#include "team.h"

namespace maskrt::cpu {

class CpuStream final : public DeviceStream {
 public:
  explicit CpuStream(int threads) : team_(threads) {}

  int threads() const { return team_.threads(); }
  void perform(const std::function<void()>& work) override { team_.perform(work); }
  std::byte* allocate(std::size_t bytes) override;
  void release(std::byte* memory, std::size_t bytes) noexcept override;
  std::unique_ptr<Execution> bind(const Program& program, const Addresses& addresses,
                                  const kernels::Normalisation& normalisation) override;
  void run(std::span<const Step> steps, const Addresses& addresses) override;
  void preprocess(std::span<const ImageToProcess> images, const kernels::Normalisation& normalisation,
                  const kernels::Tensor& input) override;
  std::vector<float> read(const kernels::Tensor& tensor, bool list) override;
  void write(const kernels::Tensor& tensor, std::span<const float> nchw) override;

 private:
  Team team_;
};

}  // namespace maskrt::cpu
