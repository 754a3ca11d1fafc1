#include "program_builder.h"

#include <algorithm>
#include <span>

#include "checking_queue.h"
#include "driver.h"
#include "graph/modules.h"
#include "kernels/element.h"
#include "session_stream.h"

namespace maskrt::cuda {
namespace {

std::int64_t round_up(std::int64_t n, std::int64_t multiple) { return (n + multiple - 1) / multiple * multiple; }

}  // namespace

std::vector<std::byte> bytes_of(const std::vector<float>& numbers) {
  const auto bytes = std::as_bytes(std::span(numbers));
  return {bytes.begin(), bytes.end()};
}

ProgramBuilder::ProgramBuilder(const graph::LoweredNetwork& network, const std::vector<graph::Extent>& extents,
                               const PrecisionPlan& precision, const kernels::Chip& chip,
                               const kernels::ConvTuning& tuning, WeightStore& weights)
    : ProgramBase(network.graph, extents, precision),
      chip_(chip),
      tuning_(tuning),
      weights_(weights),
      stored_(network.graph.values.size()),
      list_runs_(list_runs(network.graph, extents, precision, chip)),
      head_values_(graph::values_of(network.head)) {}

Program ProgramBuilder::build() {
  zeroed_buffer_ = new_buffer("zeros", 0);
  auto run = list_runs_.begin();
  for (node_ = 0; node_ < static_cast<int>(graph_.nodes.size()); ++node_) {
    if (run != list_runs_.end() && run->first == node_)
      add_list_programs(*run++);
    else
      add_node();
  }

  const auto bound = [&](graph::ValueId value) { return binding(value, stored(value)); };
  program_.input = bound(graph_.nodes[0].output());
  for (const graph::ValueId output : graph_.outputs) program_.outputs[name_of_value(output)] = bound(output);

  if (const std::size_t bytes = program_.buffers[static_cast<std::size_t>(zeroed_buffer_)].bytes; bytes != 0) {
    Step clear;
    clear.name = "zeros";
    clear.module = graph::module_of(clear.name);
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
    return std::holds_alternative<graph::MaskProduct>(graph_.nodes[static_cast<std::size_t>(reader)].operation);
  });
  // Rows that callers or the head alone read, class logits, are whole sectors.
  const bool last = readers.empty() && e.channels > 8;
  if (e.list) return mask_kernels || last ? round_up(e.channels, 8) : e.channels;
  return round_up(e.channels, 8);
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

const float* ProgramBuilder::vector_of(const std::string& what, const graph::ConstantPtr& constant) {
  if (constant == nullptr) return nullptr;
  return reinterpret_cast<const float*>(weights_of(what, [&] { return bytes_of(constant->evaluate()); }));
}

const void* ProgramBuilder::rows_of(const std::string& what, const graph::Constant& constant, std::int64_t stride) {
  const DataType type = factor_type();
  return weights_of(what + " rows " + std::string(name_of(type)), [&] {
    const std::int64_t out = constant.shape()[0], in = constant.shape()[1];
    const std::vector<float> values = constant.evaluate();
    std::vector<std::byte> bytes(static_cast<std::size_t>(out * stride) * size_of(type));
    const kernels::Tensor rows = kernels::dense(bytes.data(), type, 1, 1, out, stride, 0);
    for (std::int64_t o = 0; o < out; ++o)
      for (std::int64_t i = 0; i < in; ++i)
        kernels::set(rows, 0, 0, o, i, values[static_cast<std::size_t>(o * in + i)]);
    return bytes;
  });
}

void ProgramBuilder::step(const std::string& operation, const std::string& algorithm, const std::vector<View>& reads,
                          const std::vector<View>& writes, Work work) {
  check(work);
  const graph::Cost cost = node_cost(size_of(factor_type()));
  Step& added =
      append_step(node(), node().name, operation, algorithm, reads, writes,
                  [work = std::move(work)](const Addresses& addresses) { work(addresses, queue_of(addresses)); });
  added.flops = cost.flops;
  added.bytes = cost.bytes;
}

void ProgramBuilder::check(const Work& work) const {
  // Addresses of the alignment that a bound program has, and of no memory.
  const std::vector<std::size_t> offsets(program_.buffers.size(), 0);
  CheckingQueue queue(chip_);
  work({reinterpret_cast<std::byte*>(std::uintptr_t{4096}), offsets.data(), nullptr}, queue);
}

}  // namespace maskrt::cuda
