// What a launch did, added up: by kind, by space, and in its main loop.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "machine/module.h"

namespace vgpu {

/// Sums over some of a launch's instructions.
struct CountSums {
  LineCount total;
  LineCount global, shared, local;        ///< counts of the accesses to each space
  std::uint64_t tensor_instructions = 0;  ///< executions by a warp of those that multiply on tensor cores
  std::uint64_t tensor_ops = 0;

  void add(const Instr& instr, const LineCount& count);
  void add(const CountSums& other);
};

struct LaunchSummary {
  struct Line {
    const Instr* instr;
    LineCount count;
  };
  std::array<LineCount, kKinds> kinds{};
  CountSums all;
  /// The innermost loop around the tensor-core instruction that was executed most, without one, around the access to
  /// memory that was; all, where that lies in no loop.
  CountSums main_loop;
  std::vector<Line> lines;  ///< those that were executed
};

/// `counts`: of a launch of a kernel in `module`, by Program::first_count + index.
LaunchSummary summarise(const Module& module, const std::vector<LineCount>& counts);

}  // namespace vgpu
