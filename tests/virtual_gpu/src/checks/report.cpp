#include "checks/report.h"

namespace vgpu {

const char* name_of(Check check) {
  switch (check) {
    case Check::out_of_bounds:
      return "access out of bounds";
    case Check::use_after_free:
      return "use after free";
    case Check::misaligned:
      return "misaligned access";
    case Check::uninitialised:
      return "use of uninitialised data";
    case Check::shared_race:
      return "shared-memory race";
    case Check::global_race:
      return "global-memory race";
    case Check::async_not_waited:
      return "asynchronous result used before its wait";
    case Check::proxy_fence:
      return "missing proxy fence";
    case Check::barrier_not_reached:
      return "barrier not reached by all";
    case Check::deadlock:
      return "deadlock";
    case Check::mbarrier_misuse:
      return "mbarrier misuse";
    case Check::divergent:
      return "divergent aligned instruction";
    case Check::stream_race:
      return "race between streams";
    case Check::trap:
      return "trap";
    case Check::invalid:
      return "invalid operand";
  }
  return "unknown";
}

std::string stream_race_message(bool writes, const std::string& where, const std::string& other, bool other_wrote) {
  return std::string(writes ? "a write to " : "a read of ") + where + " that " + other + " has " +
         (other_wrote ? "written" : "read") + ", with no stream, event or graph edge that orders the two";
}

std::string to_string(const Report& report) {
  const auto triple = [](const Dim3& d) {
    return "(" + std::to_string(d[0]) + ", " + std::to_string(d[1]) + ", " + std::to_string(d[2]) + ")";
  };
  std::string text = std::string("vgpu: ") + name_of(report.check) + ": " + report.message + "\n  ";
  if (report.ptx_line != 0) {
    text += "kernel " + report.kernel + (report.where.empty() ? "" : " in " + report.where) + ", block " +
            triple(report.block) + ", thread " + triple(report.thread) + "\n  PTX line " +
            std::to_string(report.ptx_line) + ": " + report.ptx_text;
  } else {
    text += "in " + report.kernel;
  }
  if (!report.source.empty()) text += "\n  source " + report.source;
  if (report.other_ptx_line != 0) {
    text += "\n  against PTX line " + std::to_string(report.other_ptx_line) + ": " + report.other_ptx_text;
    if (!report.other_source.empty()) text += "\n  source " + report.other_source;
  }
  return text;
}

}  // namespace vgpu
