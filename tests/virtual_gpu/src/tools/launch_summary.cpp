#include "tools/launch_summary.h"

namespace vgpu {
namespace {

const LineCount& count_of(const Program& program, std::size_t index, const std::vector<LineCount>& counts) {
  return counts[program.first_count + index];
}

/// A place in the code, with the number of its executions.
struct Place {
  const Program* program = nullptr;
  std::size_t index = 0;
  std::uint64_t issued = 0;

  void take_if_more(const Program& of, std::size_t at, std::uint64_t executions) {
    if (executions > issued) *this = {&of, at, executions};
  }
};

const Loop* innermost_around(const Place& place) {
  const Loop* best = nullptr;
  for (const Loop& loop : place.program->loops) {
    if (place.index < loop.first || place.index > loop.last) continue;
    if (best == nullptr || loop.last - loop.first < best->last - best->first) best = &loop;
  }
  return best;
}

}  // namespace

void CountSums::add(const Instr& instr, const LineCount& count) {
  total.add(count);
  if (count.memory_space == 1) global.add(count);
  if (count.memory_space == 2) shared.add(count);
  if (count.memory_space == 3) local.add(count);
  if (instr.tensor_ops != 0) tensor_instructions += count.issued;
  tensor_ops += count.issued * instr.tensor_ops;
}

void CountSums::add(const CountSums& other) {
  total.add(other.total);
  global.add(other.global);
  shared.add(other.shared);
  local.add(other.local);
  tensor_instructions += other.tensor_instructions;
  tensor_ops += other.tensor_ops;
}

LaunchSummary summarise(const Module& module, const std::vector<LineCount>& counts) {
  LaunchSummary s;
  Place tensor, memory;
  for (const auto& [name, program] : module.programs()) {
    for (std::size_t i = 0; i < program->code.size(); ++i) {
      const Instr& instr = program->code[i];
      const LineCount& count = count_of(*program, i, counts);
      if (count.issued == 0) continue;
      s.kinds[static_cast<std::size_t>(instr.kind)].add(count);
      s.all.add(instr, count);
      s.lines.push_back({&instr, count});
      if (instr.tensor_ops != 0) tensor.take_if_more(*program, i, count.issued);
      if (count.requests != 0) memory.take_if_more(*program, i, count.issued);
    }
  }
  const Place& place = tensor.program != nullptr ? tensor : memory;
  const Loop* loop = place.program != nullptr ? innermost_around(place) : nullptr;
  if (loop == nullptr) {
    s.main_loop = s.all;
    return s;
  }
  for (std::size_t i = loop->first; i <= loop->last; ++i)
    s.main_loop.add(place.program->code[i], count_of(*place.program, i, counts));
  return s;
}

}  // namespace vgpu
