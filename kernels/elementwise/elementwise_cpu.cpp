#include "elementwise.h"
#include "kernels/cpu/exponential.h"
#include "kernels/cpu/lines.h"
#include "kernels/cpu/rows.h"

namespace maskrt::kernels {
namespace {

MASKRT_CLONES void relu_row(const float* in, std::int64_t n, float* out) {
  for (std::int64_t i = 0; i < n; ++i) out[i] = in[i] > 0 ? in[i] : 0.0f;
}

MASKRT_CLONES void sigmoid_row(const float* in, std::int64_t n, float* out) {
  for (std::int64_t i = 0; i < n; ++i) out[i] = logistic(in[i]);
}

MASKRT_CLONES void add_row(const float* a, const float* b, std::int64_t n, float* out) {
  for (std::int64_t i = 0; i < n; ++i) out[i] = a[i] + b[i];
}

/// The logistic function takes the padding's 0 to 1/2: put the zeros back.
void clear_padding(const Tensor& t, std::int64_t k, float* row) {
  const std::int64_t used = t.channels - k * t.block;
  if (used >= t.block) return;
  for (std::int64_t x = 0; x < t.width; ++x)
    for (std::int64_t c = used; c < t.block; ++c) row[x * t.block + c] = 0.0f;
}

}  // namespace

void activate_cpu(Activation activation, const Tensor& in, const Tensor& out) {
  if (activation == Activation::none || !same_lines(in, out)) {
    for_each_element_parallel(
        out, [&](auto b, auto y, auto x, auto c) { set(out, b, y, x, c, activate(activation, get(in, b, y, x, c))); });
    return;
  }
  const std::int64_t n = out.width * out.block;
  for_each_line(out, [&](auto b, auto k, auto y) {
    float* to = line<float>(out, b, k, y);
    if (activation == Activation::relu) {
      relu_row(line<float>(in, b, k, y), n, to);
    } else {
      sigmoid_row(line<float>(in, b, k, y), n, to);
      clear_padding(out, k, to);
    }
  });
}

void add_cpu(const Tensor& a, const Tensor& b, const Tensor& out) {
  if (!same_lines(a, out) || !same_lines(b, out)) {
    for_each_element_parallel(
        out, [&](auto n, auto y, auto x, auto c) { set(out, n, y, x, c, get(a, n, y, x, c) + get(b, n, y, x, c)); });
    return;
  }
  const std::int64_t length = out.width * out.block;
  for_each_line(out, [&](auto n, auto k, auto y) {
    add_row(line<float>(a, n, k, y), line<float>(b, n, k, y), length, line<float>(out, n, k, y));
  });
}

void scale_shift_cpu(const Tensor& in, const float* scale, const float* shift, const Tensor& out) {
  for_each_element_parallel(
      out, [&](auto b, auto y, auto x, auto c) { set(out, b, y, x, c, get(in, b, y, x, c) * scale[c] + shift[c]); });
}

}  // namespace maskrt::kernels
