// Mask logits: the product of each instance's mask kernel with the mask features.
#pragma once

#include <memory>

#include "kernels/tensor.h"

namespace maskrt::kernels {

/// out[b, y, x, n] = sum over k of features[b, y, x, k] * kernels[b, n, k]; with `offset`, plus kernels[b, n, K]: a
/// bias for all positions of the instance.
/// kernels: a list [B, N, 1, K (+ 1)], fp32; features [B, h, w, K], out [B, h, w, N], fp32, any blocking.
void mask_product_ref(const Tensor& kernels, const Tensor& features, bool offset, const Tensor& out);

/// A 1x1 convolution whose weights are the kernels, image by image, on oneDNN. Ready for one shape.
class MaskProduct {
 public:
  /// `data` of the tensors is ignored.
  MaskProduct(const Tensor& features, bool offset, const Tensor& out);
  std::size_t scratch_bytes() const;
  void run(const Tensor& kernels, const Tensor& features, const Tensor& out, void* scratch) const;

 private:
  struct Parts;
  std::shared_ptr<const Parts> parts_;
};

}  // namespace maskrt::kernels
