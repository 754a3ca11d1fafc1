// Picks the handlers that were compiled for this processor.
#include <cstdlib>

#include "machine/decoder.h"

namespace vgpu {

namespace level1 {
OpTable make_table();
}
#if defined(__x86_64__)
namespace level3 {
void improve_table(OpTable& table);
}
namespace level4 {
OpTable make_table();
}
#endif

namespace {

OpTable best_table() {
#if defined(__x86_64__)
  // VGPU_LEVEL=1 or 3 runs the handlers of lesser processors where better ones would run, so that one machine can test
  // them all.
  const char* setting = std::getenv("VGPU_LEVEL");
  const int level = setting != nullptr ? std::atoi(setting) : 4;
  const bool fused = __builtin_cpu_supports("fma");
  if (level >= 4 && fused && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512cd")) {
    return level4::make_table();
  }
  OpTable table = level1::make_table();
  if (level >= 3 && fused && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2"))
    level3::improve_table(table);
  return table;
#else
  return level1::make_table();
#endif
}

}  // namespace

const OpTable& op_table() {
  static const OpTable table = best_table();
  return table;
}

}  // namespace vgpu
