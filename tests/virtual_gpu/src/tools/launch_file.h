// A launch described by a JSON file beside its PTX and its tensors.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "machine/device.h"

namespace vgpu {

/// What became of one launch.
struct LaunchOutcome {
  std::optional<Report> report;  ///< a check fired
  bool passed = false;
  double worst_rms = 0;  ///< worst root mean square error of an output, relative to that of the expected values
  std::string message;   ///< why it did not pass
  double seconds = 0;
  std::vector<LineCount> counts;
  std::unique_ptr<Device> device;  ///< keeps the module alive
  std::unique_ptr<Module> module;
  const Program* kernel = nullptr;
};

/// Runs FILE.json with FILE.ptx and FILE.safetensors. The file's keys:
///   entry, compute_capability, grid, block, dynamic_shared (bytes), cluster (optional)
///   params: in order, each with `kind`:
///     pointer: `tensor`, or null for a small buffer of zeros; i32, i64, f32: `value`;
///     tensormap: `tensor`, row-major and two-dimensional, `box` in elements (rows, columns), `swizzle_bytes`
///   outputs: tensors to compare with NAME.expected; relative_rms: the largest rms(got - expected) / rms(expected)
/// Throws Error where the file is wrong.
LaunchOutcome run_launch_file(const std::filesystem::path& json, const Settings& settings);

}  // namespace vgpu
