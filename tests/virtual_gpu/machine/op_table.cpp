// Picks the handlers that were compiled for this processor.
#include <cstdlib>

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
  // VGPU_LEVEL=1 runs the handlers of any processor where better ones would run, so that one machine can test both.
  const char* level = std::getenv("VGPU_LEVEL");
  static const bool wide = (level == nullptr || std::atoi(level) >= 4) && __builtin_cpu_supports("avx512f") &&
                           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
                           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512cd") &&
                           __builtin_cpu_supports("fma");
  static const OpTable table = wide ? level4::make_table() : level1::make_table();
#else
  static const OpTable table = level1::make_table();
#endif
  return table;
}

}  // namespace vgpu
