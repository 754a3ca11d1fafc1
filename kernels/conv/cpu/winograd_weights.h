// Winograd weight transformation F(4x4, 3x3) for oneDNN.
#pragma once

#include <cstdint>
#include <dnnl.hpp>

namespace maskrt::kernels {

/// prepared <- G w G^T of each 3x3 filter w, [O, I, 3, 3], in the layout of oneDNN's Winograd convolutions with 4x4
/// outputs. O and I are multiples of 16. Returns false without writing where the layout is a different one: oneDNN's
/// own reorder must then transform the weights, which takes ten times as long (scalar loops) and a copy as large as the
/// result.
///
/// oneDNN 2.6 calls the layout OBaaIBOIio: [O / 16 / o2][6][6][I / 16 / i2][o2][i2][16 inputs][16 outputs], of which o2
/// and i2 are fields of its description. Splits outputs over OpenMP threads.
bool winograd_weights(const float* weight, std::int64_t out_channels, std::int64_t in_channels,
                      const dnnl::memory::desc& layout, float* prepared);

}  // namespace maskrt::kernels
