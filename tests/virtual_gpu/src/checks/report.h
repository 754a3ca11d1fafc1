// What a check says when it fires.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace vgpu {

using Dim3 = std::array<std::uint32_t, 3>;

enum class Check : std::uint8_t {
  out_of_bounds,
  use_after_free,
  misaligned,
  uninitialised,
  shared_race,
  global_race,
  async_not_waited,
  proxy_fence,
  barrier_not_reached,
  deadlock,
  mbarrier_misuse,
  divergent,
  stream_race,
  trap,
  invalid,  ///< an operand that the manual forbids
};

/// "shared-memory race", ...
const char* name_of(Check check);

struct Report {
  Check check = Check::invalid;
  std::string kernel;  ///< or the copy, set or other work, where ptx_line is 0
  std::string where;   ///< "stream 3"; empty where no stream is known
  Dim3 block{};
  Dim3 thread{};
  std::uint32_t ptx_line = 0;
  std::string ptx_text;
  std::string source;  ///< "file.cu:12", empty where the PTX has no .loc
  // For a race: the instruction of the earlier access.
  std::uint32_t other_ptx_line = 0;
  std::string other_ptx_text;
  std::string other_source;
  std::string other_work;  ///< for a race between streams: the other kernel, copy or set
  std::string message;
};

/// "a write to WHERE that OTHER has read, with no stream, event or graph edge that orders the two".
std::string stream_race_message(bool writes, const std::string& where, const std::string& other, bool other_wrote);

/// One report as a paragraph for stderr.
std::string to_string(const Report& report);

/// Thrown inside a launch; ends it.
struct Fault {
  Report report;
};

}  // namespace vgpu
