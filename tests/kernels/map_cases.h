// Maps that every kernel over maps is tested with on the CPU: sizes, and the layouts that oneDNN uses.
#pragma once

#include "kernels/cpu/onednn.h"
#include "owned_tensor.h"

namespace maskrt::testing {

struct Size {
  std::int64_t batch, height, width, channels;
};

/// 1, primes, around blocks and vectors, and maps of real layers' widths.
inline const std::vector<Size> map_sizes = {{1, 1, 1, 1},    {1, 1, 1, 16},    {2, 3, 5, 7},
                                            {1, 15, 17, 15}, {3, 2, 16, 17},   {1, 31, 33, 31},
                                            {2, 20, 27, 32}, {1, 13, 11, 100}, {1, 6, 1, 33}};

/// Channels side by side in a block: 16 and 8 as oneDNN has them, 1 for planes, 0 for all of them.
inline const std::vector<std::int64_t> channel_blocks = {16, 8, 1, 0};

/// oneDNN refuses bf16 without AVX-512.
inline bool onednn_has_bf16() {
  const auto has = static_cast<unsigned>(dnnl::get_effective_cpu_isa()),
             avx512 = static_cast<unsigned>(dnnl::cpu_isa::avx512_core);
  return (has & avx512) == avx512;
}

template <typename F>
void for_each_layout(F&& f) {
  for (const Size& size : map_sizes) {
    for (const std::int64_t block : channel_blocks) {
      INFO("map " << size.batch << "x" << size.height << "x" << size.width << "x" << size.channels << ", block "
                  << block);
      f(size, block);
    }
  }
}

inline OwnedTensor map_of_size(DataType type, const Size& s, std::int64_t block) {
  return OwnedTensor(type, s.batch, s.height, s.width, s.channels, block);
}

}  // namespace maskrt::testing
