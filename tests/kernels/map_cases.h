// Maps in the layouts that the CPU device uses.
#pragma once

#include "kernels/cpu/onednn.h"
#include "map_shape.h"
#include "owned_tensor.h"

namespace maskrt::testing {

/// Channels side by side in a block: 16 and 8 as oneDNN has them, 1 for planes, 0 for all of them.
inline const std::vector<std::int64_t> channel_blocks = {16, 8, 1, 0};

/// oneDNN refuses bf16 without AVX-512.
inline bool onednn_has_bf16() {
  const auto has = static_cast<unsigned>(dnnl::get_effective_cpu_isa()),
             avx512 = static_cast<unsigned>(dnnl::cpu_isa::avx512_core);
  return (has & avx512) == avx512;
}

/// Calls f(case, block) for each case, a MapShape or something that prints itself, in each layout.
template <typename Case, typename F>
void for_each_layout(const std::vector<Case>& cases, F&& f) {
  for (const Case& c : cases) {
    for (const std::int64_t block : channel_blocks) {
      INFO("map " << c << ", block " << block);
      f(c, block);
    }
  }
}

inline OwnedTensor map_of_shape(DataType type, const MapShape& s, std::int64_t block) {
  return OwnedTensor(type, s.batch, s.height, s.width, s.channels, block);
}

}  // namespace maskrt::testing
