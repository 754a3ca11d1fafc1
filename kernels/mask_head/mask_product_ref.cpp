#include "kernels/element.h"
#include "mask_product.h"

namespace maskrt::kernels {

void mask_product_ref(const Tensor& kernels, const Tensor& features, bool offset, const Tensor& out) {
  for_each_element(out, [&](auto b, auto y, auto x, auto n) {
    double sum = offset ? get(kernels, b, n, 0, features.channels) : 0.0;
    for (std::int64_t k = 0; k < features.channels; ++k)
      sum += static_cast<double>(get(kernels, b, n, 0, k)) * get(features, b, y, x, k);
    set(out, b, y, x, n, static_cast<float>(sum));
  });
}

}  // namespace maskrt::kernels
