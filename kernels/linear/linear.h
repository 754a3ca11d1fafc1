// A linear layer over lists of vectors.
#pragma once

#include <memory>

#include "../activation.h"
#include "../tensor.h"

namespace maskrt::kernels {

/// out = activation(in weight^T + bias). in: a list [B, N, 1, I], out: a list [B, N, 1, O]; weight [O, I] row-major;
/// bias [O] or null. fp32.
void linear_ref(const Tensor& in, const float* weight, const float* bias, Activation activation, const Tensor& out);

/// On oneDNN, ready for one number of rows. Lists are dense with channels innermost.
class Linear {
 public:
  Linear(std::int64_t rows, std::int64_t in_channels, std::int64_t out_channels, bool bias, Activation activation);
  std::size_t weight_bytes() const;
  std::size_t scratch_bytes() const;
  /// Linears with equal layouts share prepared weights.
  bool same_weight_layout(const Linear& other) const;
  void prepare(const float* weight, void* prepared) const;
  void run(const void* in, const void* weights, const float* bias, void* out, void* scratch) const;

 private:
  struct Primitive;
  std::shared_ptr<const Primitive> primitive_;
};

}  // namespace maskrt::kernels
