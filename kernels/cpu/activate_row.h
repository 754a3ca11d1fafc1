// Activations of contiguous numbers.
#pragma once

#include <cstdint>

#include "kernels/activation.h"

namespace maskrt::kernels {

/// out[i] = activation(in[i]) for i < n; out may be in. Sigmoid is within 4 ulp of the exact one, GELU as in
/// exponential.h. `slope` is the negative slope of leaky ReLU. One thread.
void activate_row(Activation activation, float slope, const float* in, std::int64_t n, float* out);

/// As activate_row for pixels of one block of channels, of which the first `used` exist: the others become 0.
void activate_block(Activation activation, float slope, const float* in, std::int64_t pixels, std::int64_t block,
                    std::int64_t used, float* out);

}  // namespace maskrt::kernels
