// Pooling.
#pragma once

#include <memory>

#include "kernels/tensor.h"

namespace maskrt::kernels {

struct PoolGeometry {
  int kernel = 3, stride = 2, padding = 1;
};

/// out[b, y, x, c] = max of in over the window; positions outside of the map are left out.
/// in [B, H, W, C], out [B, H', W', C], fp32, bf16 or fp16, any blocking.
void max_pool_ref(const PoolGeometry& geometry, const Tensor& in, const Tensor& out);

struct AveragePoolGeometry {
  int kernel = 2, stride = 2;
};

/// As many windows as begin inside of `size` pixels; the last is the first that reaches their end.
inline std::int64_t average_pool_output_size(std::int64_t size, const AveragePoolGeometry& g) {
  return size <= g.kernel ? 1 : (size - g.kernel + g.stride - 1) / g.stride + 1;
}

/// Average pooling: out[b, y, x, c] = mean of in over the part of the window from (y * stride, x * stride) on that lies
/// inside of the map. The stride is at most the kernel.
/// in [B, H, W, C], out [B, H', W', C], fp32, bf16 or fp16, any blocking, each; out aliases nothing. Sums in double.
/// Padding channels of out are not written.
void average_pool_ref(const AveragePoolGeometry& geometry, const Tensor& in, const Tensor& out);

/// A pool on oneDNN, prepared for one shape: the maximum, or the average. Both tensors have one type, fp32 or bf16, and
/// one blocking. Where the images of a batch are not dense in memory (a slice), images are computed one by one. Padding
/// channels are pooled with the others, so that zeros remain.
class Pool {
 public:
  Pool(const PoolGeometry& geometry, const Tensor& in, const Tensor& out);
  Pool(const AveragePoolGeometry& geometry, const Tensor& in, const Tensor& out);
  void run(const Tensor& in, const Tensor& out) const;

 private:
  struct Primitive;
  std::shared_ptr<const Primitive> primitive_;
};

/// Adaptive average pooling: out[b, i, j, c] = mean of in over rows [floor(i H / h), ceil((i + 1) H / h)) and columns
/// likewise, where out is h x w. fp32, any blocking.
void adaptive_average_pool_ref(const Tensor& in, const Tensor& out);
void adaptive_average_pool_cpu(const Tensor& in, const Tensor& out);

}  // namespace maskrt::kernels
