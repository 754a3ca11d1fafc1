#include <set>

#include "device.h"

namespace maskrt {
namespace {

/// Marks the steps that neither the head nor a kept value depends on.
void mark_steps(Program& program, const std::set<int>& roots) {
  std::set<int> needed = roots;  // buffers that the head or a later step reads
  for (auto step = program.steps.rbegin(); step != program.steps.rend(); ++step) {
    bool is_needed = false;
    for (const int buffer : step->writes) is_needed = is_needed || needed.contains(buffer);
    step->for_outputs_alone = !is_needed;
    if (is_needed) needed.insert(step->reads.begin(), step->reads.end());
  }
}

}  // namespace

void attach_head(Program& program, const graph::LoweredNetwork& network, const std::vector<graph::Extent>& extents) {
  graph::check(network.head, network.graph, extents);
  program.head = network.head;
  std::set<int> roots;
  const auto output = [&](graph::ValueId value) -> const Program::Binding& {
    return program.outputs.at(network.graph.values[static_cast<std::size_t>(value)].name);
  };
  for (const graph::ValueId value : graph::values_of(network.head)) {
    program.head_values[value] = output(value);
    roots.insert(output(value).buffer);
  }
  for (const graph::ValueId value : network.kept) roots.insert(output(value).buffer);
  mark_steps(program, roots);
}

}  // namespace maskrt
