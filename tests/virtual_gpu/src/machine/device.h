// The virtual GPU below the driver's interface: memory, modules, launches.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "machine/cta.h"
#include "machine/module.h"

namespace vgpu {

/// What the chip allows; depends on the compute capability. CUDA C++ Programming Guide, "Technical Specifications".
struct Limits {
  std::uint32_t threads_per_block = 1024;
  std::uint32_t threads_per_sm = 2048;
  std::uint32_t blocks_per_sm = 32;
  std::uint32_t shared_per_block = 49152;  ///< without opting in
  std::uint32_t shared_per_block_optin = 0;
  std::uint32_t shared_per_sm = 0;
  std::uint32_t registers_per_sm = 65536;
  std::uint32_t cluster_blocks = 1;
  static Limits of(int compute_capability);
};

struct LaunchResult {
  std::optional<Report> report;   ///< report of the check that fired; it ended the launch
  std::vector<LineCount> counts;  ///< by Program::first_count + index; empty unless asked for
  std::string output;             ///< what the kernel printed
  std::uint64_t blocks = 0;       ///< blocks that were run
  double seconds = 0;
};

class Device {
 public:
  explicit Device(const Settings& settings);

  Memory& memory() { return memory_; }
  const Settings& settings() const { return settings_; }
  Settings& settings() { return settings_; }
  const Limits& limits() const { return limits_; }

  /// Throws Error.
  std::unique_ptr<Module> load(std::string_view ptx_text) { return std::make_unique<Module>(memory_, ptx_text); }

  /// Runs a grid to its end, on all cores. `params` holds the kernel's parameters one after another, each at the offset
  /// that Program::parameters gives. `order` says how the launch is ordered with other work, and numbers it; null:
  /// after all of it. Throws Error where the configuration is not one that the chip could launch.
  LaunchResult launch(const Module& module, const Program& kernel, const LaunchConfig& config,
                      std::span<const std::uint8_t> params, const WorkOrder* order = nullptr);

  /// Blocks of this kernel that one multiprocessor holds at a time.
  std::uint32_t occupancy(const Program& kernel, std::uint32_t threads, std::uint32_t dynamic_shared) const;

 private:
  void check(const Program& kernel, const LaunchConfig& config, std::size_t param_bytes) const;

  Settings settings_;
  Limits limits_;
  Memory memory_;
  std::uint32_t launches_ = 0;
};

}  // namespace vgpu
