// A linear layer on oneDNN.
#pragma once

#include <memory>

#include "kernels/cpu/onednn.h"
#include "linear.h"

namespace maskrt::kernels {

/// On oneDNN, ready for one number of rows. Lists are dense with channels innermost.
class Linear {
 public:
  Linear(std::int64_t rows, std::int64_t in_channels, std::int64_t out_channels, bool bias, Activation activation);
  /// Linears with equal layouts share prepared weights.
  const dnnl::memory::desc& weight_layout() const;
  std::size_t scratch_bytes() const;
  void prepare(const float* weight, void* prepared) const;
  void run(const void* in, const void* weights, const float* bias, void* out, void* scratch) const;

 private:
  struct Primitive;
  std::shared_ptr<const Primitive> primitive_;
};

}  // namespace maskrt::kernels
