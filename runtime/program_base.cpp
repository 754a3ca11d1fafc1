#include "program_base.h"

#include <algorithm>
#include <limits>

#include "graph/modules.h"

namespace maskrt {

ProgramBase::ProgramBase(const graph::Graph& graph, const std::vector<graph::Extent>& extents,
                         const PrecisionPlan& precision)
    : graph_(graph), extents_(extents), precision_(precision), last_reader_(graph.values.size(), -1) {
  for (std::size_t i = 0; i < graph.nodes.size(); ++i)
    for (std::size_t j = 0; j < graph.nodes[i].inputs.size(); ++j)
      if (graph::reads_numbers(graph.nodes[i], j))
        last_reader_[static_cast<std::size_t>(graph.nodes[i].inputs[j])] = static_cast<int>(i);
  for (const graph::ValueId output : graph.outputs)
    last_reader_[static_cast<std::size_t>(output)] = std::numeric_limits<int>::max();
}

int ProgramBase::new_buffer(const std::string& name, std::size_t bytes, bool scratch) {
  program_.buffers.push_back({name, bytes, scratch});
  shared_.push_back(false);
  return static_cast<int>(program_.buffers.size()) - 1;
}

View ProgramBase::new_view(graph::ValueId value, DataType type, std::int64_t block) {
  const graph::Extent& e = extent(value);
  View view;
  view.tensor = kernels::dense(nullptr, type, e.batch, e.height, e.width, e.channels, block);
  view.buffer = new_buffer(name_of_value(value), view.tensor.bytes());
  return view;
}

View ProgramBase::new_scratch(std::size_t bytes) {
  View view;
  view.buffer = new_buffer("scratch of " + node().name, bytes, true);
  return view;
}

bool ProgramBase::may_overwrite(std::size_t input, const View& stored) const {
  const std::vector<graph::ValueId>& inputs = node().inputs;
  return stored.buffer >= 0 && last_reader_[static_cast<std::size_t>(inputs[input])] == node_ &&
         std::count(inputs.begin(), inputs.end(), inputs[input]) == 1 &&
         !shared_[static_cast<std::size_t>(stored.buffer)];
}

const graph::Node& ProgramBase::owner_of(graph::ValueId value) const {
  const int maker = graph_.producer(value);
  const bool being_read = node_ < static_cast<int>(graph_.nodes.size());  // outputs are reordered after the last node
  return maker == 0 && being_read ? node() : graph_.nodes[static_cast<std::size_t>(maker)];
}

Step& ProgramBase::append_step(const graph::Node& owner, std::string name, std::string operation, std::string algorithm,
                               const std::vector<View>& reads, const std::vector<View>& writes,
                               std::function<void(const Addresses&)> run) {
  const auto note = [](std::vector<int>& list, const View& view) {
    if (view.buffer >= 0 && std::find(list.begin(), list.end(), view.buffer) == list.end()) list.push_back(view.buffer);
  };
  Step step;
  step.name = std::move(name);
  step.module = graph::module_of(owner.name);
  step.operation = std::move(operation);
  step.algorithm = std::move(algorithm);
  for (const View& view : reads) note(step.reads, view);
  for (const View& view : writes) note(step.writes, view);
  step.run = std::move(run);
  program_.steps.push_back(std::move(step));
  return program_.steps.back();
}

}  // namespace maskrt
