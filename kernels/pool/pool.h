// Pooling.
#pragma once

#include <memory>

#include "kernels/tensor.h"

namespace maskrt::kernels {

struct PoolGeometry {
  int kernel = 3, stride = 2, padding = 1;
};

/// out[b, y, x, c] = the largest of in over the window; what lies outside is never the maximum.
/// in [B, H, W, C], out [B, H', W', C], fp32, bf16 or fp16, any blocking.
void max_pool_ref(const PoolGeometry& geometry, const Tensor& in, const Tensor& out);

/// Ready to run for one shape on oneDNN; equal types and blockings. Views of a batch run image by image.
class MaxPool {
 public:
  MaxPool(const PoolGeometry& geometry, const Tensor& in, const Tensor& out);
  void run(const Tensor& in, const Tensor& out) const;

 private:
  struct Primitive;
  std::shared_ptr<const Primitive> primitive_;
};

/// out[b, i, j, c] = mean of in over rows floor(i H / size) .. ceil((i + 1) H / size) and the columns likewise, where
/// out is size x size. fp32, any blocking.
void adaptive_average_pool_ref(const Tensor& in, const Tensor& out);
void adaptive_average_pool_cpu(const Tensor& in, const Tensor& out);

}  // namespace maskrt::kernels
