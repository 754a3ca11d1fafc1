#include "activate_row.h"

#include <cstring>

#include "exponential.h"
#include "rows.h"
#include "vector.h"

namespace maskrt::kernels {
namespace {

MASKRT_CLONES void relu_row(const float* in, std::int64_t n, float* out) {
  for (std::int64_t i = 0; i < n; ++i) out[i] = in[i] > 0 ? in[i] : 0.0f;
}

// Explicit vectors: of its own accord the compiler takes half of AVX-512's.
constexpr int kLanes = 16;

MASKRT_CLONES void sigmoid_row(const float* in, std::int64_t n, float* out) {
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    Vector<kLanes> x = *reinterpret_cast<const Vector<kLanes>*>(in + i);
    logistic_in_place(x);
    *reinterpret_cast<Vector<kLanes>*>(out + i) = x;
  }
  for (; i < n; ++i) out[i] = logistic(in[i]);
}

MASKRT_CLONES void leaky_relu_row(float slope, const float* in, std::int64_t n, float* out) {
  for (std::int64_t i = 0; i < n; ++i) out[i] = in[i] > 0 ? in[i] : in[i] * slope;
}

MASKRT_CLONES void gelu_row(const float* in, std::int64_t n, float* out) {
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    Vector<kLanes> x = *reinterpret_cast<const Vector<kLanes>*>(in + i);
    gelu_in_place(x);
    *reinterpret_cast<Vector<kLanes>*>(out + i) = x;
  }
  for (; i < n; ++i) {
    float x = in[i];
    gelu_in_place(x);
    out[i] = x;
  }
}

}  // namespace

void activate_row(Activation activation, float slope, const float* in, std::int64_t n, float* out) {
  switch (activation) {
    case Activation::relu:
      return relu_row(in, n, out);
    case Activation::sigmoid:
      return sigmoid_row(in, n, out);
    case Activation::leaky_relu:
      return leaky_relu_row(slope, in, n, out);
    case Activation::gelu:
      return gelu_row(in, n, out);
    case Activation::none:
      if (in != out) std::memcpy(out, in, static_cast<std::size_t>(n) * sizeof(float));
  }
}

void activate_block(Activation activation, float slope, const float* in, std::int64_t pixels, std::int64_t block,
                    std::int64_t used, float* out) {
  activate_row(activation, slope, in, pixels * block, out);
  if (activation != Activation::sigmoid || used >= block) return;  // the others make 0 of the padding's 0
  for (std::int64_t x = 0; x < pixels; ++x)
    for (std::int64_t c = used; c < block; ++c) out[x * block + c] = 0.0f;
}

}  // namespace maskrt::kernels
