// Picks the handlers that were compiled for this processor.
#include "machine/decoder.h"

namespace vgpu {

namespace level1 {
OpTable make_table();
}
#if defined(__x86_64__)
namespace level4 {
OpTable make_table();
}
#endif

const OpTable& op_table() {
#if defined(__x86_64__)
  static const bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
                           __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("fma");
  static const OpTable table = wide ? level4::make_table() : level1::make_table();
#else
  static const OpTable table = level1::make_table();
#endif
  return table;
}

}  // namespace vgpu
