#include "elementwise.h"
#include "kernels/element.h"

namespace maskrt::kernels {

void activate_ref(Activation activation, const Tensor& in, const Tensor& out, float slope) {
  for_each_element(out, [&](auto b, auto y, auto x, auto c) {
    set(out, b, y, x, c, activate(activation, get(in, b, y, x, c), slope));
  });
}

void add_ref(const Tensor& a, const Tensor& b, const Tensor& out) {
  for_each_element(
      out, [&](auto n, auto y, auto x, auto c) { set(out, n, y, x, c, get(a, n, y, x, c) + get(b, n, y, x, c)); });
}

void scale_shift_ref(const Tensor& in, const float* scale, const float* shift, const Tensor& out) {
  for_each_element(
      out, [&](auto b, auto y, auto x, auto c) { set(out, b, y, x, c, get(in, b, y, x, c) * scale[c] + shift[c]); });
}

}  // namespace maskrt::kernels
