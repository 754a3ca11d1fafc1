// The weights of Winograd convolutions F(4x4, 3x3), transformed for oneDNN.
#pragma once

#include <cstdint>
#include <dnnl.hpp>

namespace maskrt::kernels {

/// prepared <- G w G^T of each 3x3 filter w, [O, I, 3, 3], in the layout that oneDNN's winograd convolutions of 4x4
/// outputs ask for. Both channels of the layout are whole blocks of 16, and those of `weight`. False, with nothing
/// done, where the layout is another one: oneDNN's own reorder then makes it, by scalar loops that take ten times as
/// long and by way of a copy as large as the result.
///
/// oneDNN 2.6 calls the layout OBaaIBOIio: [O / 16 / o2][6][6][I / 16 / i2][o2][i2][16 inputs][16 outputs], of which o2
/// and i2 are fields of its description. Splits outputs over OpenMP threads.
bool winograd_weights(const float* weight, std::int64_t out_channels, std::int64_t in_channels,
                      const dnnl::memory::desc& layout, float* prepared);

}  // namespace maskrt::kernels
