#include <set>

#include "device.h"

namespace maskrt {

void mark_steps_for_outputs_alone(Program& program, const std::set<std::string>& kept) {
  std::set<int> needed;  // buffers that a later step, the head or a kept value reads
  for (const auto& [value, binding] : program.head_values) needed.insert(binding.buffer);
  for (const auto& [name, binding] : program.outputs)
    if (kept.contains(name)) needed.insert(binding.buffer);
  if (needed.empty()) return;  // a network for its outputs alone: all of it is run
  for (auto step = program.steps.rbegin(); step != program.steps.rend(); ++step) {
    bool is_needed = false;
    for (const int buffer : step->writes) is_needed = is_needed || needed.contains(buffer);
    step->for_outputs_alone = !is_needed;
    if (is_needed) needed.insert(step->reads.begin(), step->reads.end());
  }
}

}  // namespace maskrt
