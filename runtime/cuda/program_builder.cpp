#include "program_builder.h"

#include <algorithm>
#include <set>
#include <span>

#include "checking_queue.h"
#include "driver.h"
#include "kernels/element.h"
#include "session_stream.h"

namespace maskrt::cuda {
namespace {

std::int64_t round_up(std::int64_t n, std::int64_t multiple) { return (n + multiple - 1) / multiple * multiple; }

}  // namespace

ProgramBuilder::ProgramBuilder(const graph::Graph& graph, const std::vector<graph::Extent>& extents,
                               const Fusions& fusions, const PrecisionPlan& precision, const kernels::Chip& chip,
                               const kernels::ConvTuning& tuning, WeightStore& weights)
    : ProgramBase(graph, extents, precision),
      fusions_(fusions),
      chip_(chip),
      tuning_(tuning),
      weights_(weights),
      stored_(graph.values.size()) {}

Program ProgramBuilder::build() {
  zeroed_buffer_ = new_buffer("zeros", 0);
  for (node_ = 0; node_ < static_cast<int>(graph_.nodes.size()); ++node_)
    if (!fusions_.inside[static_cast<std::size_t>(node_)]) add_node();

  const auto bound = [&](graph::ValueId value) { return binding(value, stored(value)); };
  program_.input = bound(graph_.nodes[0].output());
  for (const graph::ValueId output : graph_.outputs) program_.outputs[name_of_value(output)] = bound(output);

  if (fusions_.last_resize >= 0) {
    const graph::Node& resize = node(fusions_.last_resize);
    program_.mask_resize = {bound(resize.inputs[0]), std::get<graph::ResizeBilinear>(resize.operation).factor};
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

void ProgramBuilder::add_node() {
  try {
    std::visit([this](const auto& op) { add(op); }, node().operation);
  } catch (const DriverError&) {
    throw;  // of the device, whatever the node
  } catch (const Error& error) {
    throw Error("node " + node().name + " (" + std::string(graph::name_of(node().operation)) + "): " + error.what());
  }
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
  const std::int64_t stride = round_up(maps, 32 / static_cast<std::int64_t>(size_of(value_type(value))));
  groups_apart_[value] = {maps, stride};
  return make_in_blocks(value, groups * stride);
}

View ProgramBuilder::make_in_sectors(graph::ValueId value) {
  return make_in_blocks(value,
                        round_up(extent(value).channels, 32 / static_cast<std::int64_t>(size_of(value_type(value)))));
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

void ProgramBuilder::require_factors(const View& in) const {
  if (in.tensor.type == factor_type()) return;
  throw Error("expected its input in " + std::string(name_of(factor_type())) + ", as it computes in " +
              std::string(name_of(node_precision())) + ", found " + std::string(name_of(in.tensor.type)));
}

std::vector<std::byte> ProgramBuilder::bytes_of(const std::vector<float>& numbers) {
  const auto bytes = std::as_bytes(std::span(numbers));
  return {bytes.begin(), bytes.end()};
}

const float* ProgramBuilder::vector_of(int node, const char* what, const graph::ConstantPtr& constant) {
  if (constant == nullptr) return nullptr;
  return reinterpret_cast<const float*>(
      weights_.get(std::to_string(node) + " " + what, [&] { return bytes_of(constant->evaluate()); }));
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
    spared += graph::bytes_of(extent(value), size_of(factor_type()));
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
  check(work);
  Step& s = append_step(node().name, operation, algorithm, reads, writes,
                        [work = std::move(work)](const Addresses& addresses) { work(addresses, queue_of(addresses)); });
  const std::vector<int> inside = nodes.empty() ? std::vector<int>{node_} : nodes;
  for (const int i : inside) {
    const graph::Cost cost = graph::cost_of(graph_, node(i), extents_, size_of(factor_type()));
    s.flops += cost.flops;
    s.bytes += cost.bytes;
  }
  s.bytes -= spared_bytes(inside);
}

void ProgramBuilder::check(const Work& work) const {
  // Addresses of the alignment that a bound program has, and of no memory.
  const std::vector<std::size_t> offsets(program_.buffers.size(), 0);
  CheckingQueue queue(chip_);
  work({reinterpret_cast<std::byte*>(std::uintptr_t{4096}), offsets.data(), nullptr}, queue);
}

}  // namespace maskrt::cuda
