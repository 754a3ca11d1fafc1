#include "program_builder.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <set>

#include "kernels/element.h"
#include "session_stream.h"

namespace maskrt::cuda {
namespace {

std::int64_t round_up(std::int64_t n, std::int64_t multiple) { return (n + multiple - 1) / multiple * multiple; }

void note(std::vector<int>& list, const View& view) {
  if (view.buffer >= 0 && std::find(list.begin(), list.end(), view.buffer) == list.end()) list.push_back(view.buffer);
}

}  // namespace

ProgramBuilder::ProgramBuilder(const graph::Graph& graph, const std::vector<graph::Extent>& extents,
                               const Fusions& fusions, Precision precision, const kernels::Chip& chip,
                               const kernels::ConvTuning& tuning, WeightStore& weights)
    : graph_(graph),
      extents_(extents),
      fusions_(fusions),
      type_(precision == Precision::fp16 ? DataType::f16 : DataType::f32),
      tf32_(precision == Precision::tf32),
      chip_(chip),
      tuning_(tuning),
      weights_(weights),
      stored_(graph.values.size()),
      last_reader_(graph.values.size(), -1) {
  for (std::size_t i = 0; i < graph.nodes.size(); ++i)
    for (std::size_t j = 0; j < graph.nodes[i].inputs.size(); ++j)
      if (graph::reads_numbers(graph.nodes[i], j))
        last_reader_[static_cast<std::size_t>(graph.nodes[i].inputs[j])] = static_cast<int>(i);
  for (const graph::ValueId output : graph.outputs)
    last_reader_[static_cast<std::size_t>(output)] = std::numeric_limits<int>::max();
}

Program ProgramBuilder::build() {
  zeroed_buffer_ = new_buffer("zeros", 0);
  for (node_ = 0; node_ < static_cast<int>(graph_.nodes.size()); ++node_)
    if (!fusions_.inside[static_cast<std::size_t>(node_)])
      std::visit([this](const auto& op) { add(op); }, node().operation);

  const auto binding = [&](graph::ValueId value) {
    const View& view = stored(value);
    return Program::Binding{view.buffer, view.offset, view.tensor, extent(value)};
  };
  program_.input = binding(graph_.nodes[0].output());
  for (const graph::ValueId output : graph_.outputs) program_.outputs[name_of_value(output)] = binding(output);

  if (fusions_.last_resize >= 0) {
    const graph::Node& resize = node(fusions_.last_resize);
    program_.mask_resize = {binding(resize.inputs[0]), std::get<graph::ResizeBilinear>(resize.operation).factor};
  }

  if (const std::size_t bytes = program_.buffers[static_cast<std::size_t>(zeroed_buffer_)].bytes; bytes != 0) {
    Step clear;
    clear.name = "zeros";
    clear.operation = "clear";
    clear.algorithm = "memset";
    clear.writes = {zeroed_buffer_};
    clear.bytes = static_cast<double>(bytes);
    clear.run = [buffer = zeroed_buffer_, bytes](const Addresses& addresses) {
      queue_of(addresses).set_bytes(addresses[buffer], 0, bytes);
    };
    program_.steps.insert(program_.steps.begin(), std::move(clear));
  }
  return std::move(program_);
}

int ProgramBuilder::new_buffer(const std::string& name, std::size_t bytes, bool scratch) {
  program_.buffers.push_back({name, bytes, scratch});
  shared_.push_back(false);
  return static_cast<int>(program_.buffers.size()) - 1;
}

View ProgramBuilder::make(graph::ValueId value) { return make_in_blocks(value, block_of(value)); }

std::int64_t ProgramBuilder::block_of(graph::ValueId value) const {
  const graph::Extent& e = extent(value);
  const std::vector<int> readers = graph_.consumers(value);
  const bool mask_kernels = std::any_of(readers.begin(), readers.end(), [this](int reader) {
    return std::holds_alternative<graph::MaskProduct>(node(reader).operation);
  });
  return e.list && !mask_kernels ? e.channels : round_up(e.channels, 8);
}

View ProgramBuilder::make_apart(graph::ValueId value, int groups) {
  const std::int64_t maps = extent(value).channels / groups;
  const std::int64_t stride = round_up(maps, 32 / static_cast<std::int64_t>(size_of(type_)));
  groups_apart_[value] = {maps, stride};
  return make_in_blocks(value, groups * stride);
}

View ProgramBuilder::make_in_sectors(graph::ValueId value) {
  return make_in_blocks(value, round_up(extent(value).channels, 32 / static_cast<std::int64_t>(size_of(type_))));
}

View ProgramBuilder::make_in_blocks(graph::ValueId value, std::int64_t block) {
  const graph::Extent& e = extent(value);
  View view;
  const DataType type = e.element == graph::Element::integer ? DataType::i32 : e.list ? DataType::f32 : type_;
  view.tensor = kernels::dense(nullptr, type, e.batch, e.height, e.width, e.channels, block);
  view.buffer = new_buffer(name_of_value(value), view.tensor.bytes());
  return stored(value) = view;
}

View ProgramBuilder::scratch(std::size_t bytes) {
  View view;
  if (bytes != 0) view.buffer = new_buffer("scratch of " + node().name, bytes, true);
  return view;
}

View ProgramBuilder::zeroed(std::size_t bytes) {
  View view;
  if (bytes == 0) return view;
  std::size_t& total = program_.buffers[static_cast<std::size_t>(zeroed_buffer_)].bytes;
  view.buffer = zeroed_buffer_;
  view.offset = total;
  total += (bytes + 255) / 256 * 256;
  return view;
}

const float* ProgramBuilder::vector_of(int node, const char* what, const graph::ConstantPtr& constant) {
  if (constant == nullptr) return nullptr;
  return reinterpret_cast<const float*>(weights_.get(std::to_string(node) + " " + what, [&] {
    const std::vector<float> values = constant->evaluate();
    std::vector<std::byte> bytes(values.size() * sizeof(float));
    std::memcpy(bytes.data(), values.data(), bytes.size());
    return bytes;
  }));
}

const void* ProgramBuilder::rows_of(int node, const graph::Constant& constant, std::int64_t out, std::int64_t in,
                                    std::int64_t stride, DataType type) {
  return weights_.get(std::to_string(node) + " rows " + std::string(name_of(type)), [&] {
    const std::vector<float> values = constant.evaluate();
    std::vector<std::byte> bytes(static_cast<std::size_t>(out * stride) * size_of(type));
    const kernels::Tensor rows = kernels::dense(bytes.data(), type, 1, 1, out, stride, 0);
    for (std::int64_t o = 0; o < out; ++o)
      for (std::int64_t i = 0; i < in; ++i)
        kernels::set(rows, 0, 0, o, i, values[static_cast<std::size_t>(o * in + i)]);
    return bytes;
  });
}

double ProgramBuilder::spared_bytes(const std::vector<int>& nodes) const {
  std::set<graph::ValueId> known;  // made here, or read once already
  for (const int i : nodes) known.insert(node(i).outputs.begin(), node(i).outputs.end());
  double spared = 0;
  const auto spare = [&](graph::ValueId value) {
    spared += graph::bytes_of(extent(value), size_of(type_));
  };
  for (const int i : nodes) {
    for (std::size_t j = 0; j < node(i).inputs.size(); ++j) {
      const graph::ValueId value = node(i).inputs[j];
      if (graph::reads_numbers(node(i), j) && !known.insert(value).second) spare(value);
    }
    if (!fusions_.inside[static_cast<std::size_t>(i)]) continue;
    for (const graph::ValueId value : node(i).outputs)
      if (stored_[static_cast<std::size_t>(value)].buffer < 0) spare(value);
  }
  return spared;
}

void ProgramBuilder::step(const std::string& operation, const std::string& algorithm, const std::vector<View>& reads,
                          const std::vector<View>& writes, Work work, const std::vector<int>& nodes) {
  Step s;
  s.name = node().name;
  s.operation = operation;
  s.algorithm = algorithm;
  for (const View& view : reads) note(s.reads, view);
  for (const View& view : writes) note(s.writes, view);
  const std::vector<int> inside = nodes.empty() ? std::vector<int>{node_} : nodes;
  for (const int i : inside) {
    const graph::Cost cost = graph::cost_of(graph_, node(i), extents_, size_of(type_));
    s.flops += cost.flops;
    s.bytes += cost.bytes;
  }
  s.bytes -= spared_bytes(inside);
  s.run = [work = std::move(work)](const Addresses& addresses) { work(addresses, queue_of(addresses)); };
  program_.steps.push_back(std::move(s));
}

}  // namespace maskrt::cuda
