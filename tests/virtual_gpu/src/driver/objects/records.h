// What the virtual GPU writes down: reports of checks, counters of launches, what was not freed.
#pragma once

#include <atomic>
#include <fstream>
#include <mutex>
#include <string>

#include "checks/report.h"
#include "driver/engine/works.h"
#include "vgpu.h"

namespace vgpu::driver {

class Driver;

/// Both files hold one JSON object a line; an empty name writes none. Thread-safe.
class Records {
 public:
  /// Throws Error where a file can't be written.
  Records(const std::string& report_file, const std::string& counters_file);

  /// A check that fired: to stderr and the file.
  void add(const Report& report);
  /// Another failure of work on the device.
  void add_error(const std::string& why);
  /// A kernel that ran: what it printed goes to stdout, its counters to the file.
  void add(const engine::KernelLaunch& launch, const LaunchResult& result);
  /// What the kernels since the last call did.
  VgpuCounters take_counters();
  /// At the end: what was not freed, to stderr (where there is any) and the file.
  void finish(const VgpuLeaks& leaks);

  std::size_t reports() const { return reports_; }
  /// What a context took with it when it was destroyed.
  void add_left_behind(const VgpuLeaks& leaks);
  VgpuLeaks left_behind() const;

 private:
  mutable std::mutex mutex_;
  std::ofstream report_file_;
  std::ofstream counters_file_;
  std::atomic<std::size_t> reports_{0};
  std::size_t launches_ = 0;
  VgpuCounters counters_{};
  VgpuLeaks left_behind_{};
};

/// What is alive now, and what contexts took with them.
VgpuLeaks leaks(const Driver& driver);
/// "2 device allocations (512 bytes), 1 stream"; empty where nothing leaks.
std::string to_string(const VgpuLeaks& leaks);

}  // namespace vgpu::driver
