// Steps of nodes that compute on lists alone, many of them in one launch.
#include <algorithm>

#include "kernels/lists/list_program_cuda.h"
#include "list_runs.h"
#include "program_builder.h"
#include "runtime/kernel_activation.h"
#include "session_stream.h"

namespace maskrt::cuda {
namespace {

/// A step whose tensors have no addresses yet.
struct PlannedStep {
  std::function<kernels::ListOperation(const Addresses&)> bind;
  std::vector<View> reads;
  View out;
  bool by_rows = false;  ///< row n of the output is made of rows n of what is read
  bool after_barrier = false;
};

/// Says which steps need a barrier: those that read what another block may have written since the last one.
class Barriers {
 public:
  void place(PlannedStep& step) {
    step.after_barrier = std::any_of(written_.begin(), written_.end(), [&](const PlannedStep& before) {
      return std::any_of(step.reads.begin(), step.reads.end(), [&](const View& read) {
        // Sums, norms and copies leave a row to the warp that has the row of that number in the next of them.
        const bool same_warp = step.by_rows && before.by_rows && read.offset == before.out.offset;
        return read.prepared == nullptr && read.buffer == before.out.buffer && !same_warp;
      });
    });
    if (step.after_barrier) written_.clear();
    written_.push_back(step);
  }

 private:
  std::vector<PlannedStep> written_;  // since the last barrier
};

}  // namespace

bool ProgramBuilder::is_read_by_list_programs(graph::ValueId value) const {
  const std::vector<int> readers = graph_.consumers(value);
  return !graph_.is_output(value) && std::all_of(readers.begin(), readers.end(), [this](int reader) {
    return std::any_of(list_runs_.begin(), list_runs_.end(),
                       [reader](const ListRun& run) { return run.first <= reader && reader < run.end; });
  });
}

void ProgramBuilder::add_list_programs(const ListRun& run) {
  const int first = node_, end = run.end;
  const auto rounds = [&](int reader) {  // a list that it reads to fp16
    const graph::Operation& op = graph_.nodes[static_cast<std::size_t>(reader)].operation;
    return reader >= first && reader < end &&
           (std::holds_alternative<graph::Linear>(op) || std::holds_alternative<graph::LinearHeads>(op) ||
            std::holds_alternative<graph::Attention>(op));
  };
  // In fp16 where steps alone read a list that round it in any case.
  const auto stored_as = [&](graph::ValueId value) {
    const std::vector<int> readers = graph_.consumers(value);
    const bool rounded = !graph_.is_output(value) && std::all_of(readers.begin(), readers.end(), rounds);
    return rounded && extent(value).channels % 8 == 0 ? DataType::f16 : value_type(value);
  };
  const auto output = [&](std::size_t i = 0) {
    const graph::ValueId value = node().outputs[i];
    return stored(value) = new_view(value, stored_as(value), block_of(value));
  };

  std::vector<PlannedStep> planned;
  Barriers barriers;
  graph::Cost cost;
  const auto flush = [&] {
    if (planned.empty()) return;
    std::vector<View> reads, writes;
    for (const PlannedStep& step : planned) {
      reads.insert(reads.end(), step.reads.begin(), step.reads.end());
      writes.push_back(step.out);
    }
    const auto bound = [planned](const Addresses& addresses) {
      std::vector<kernels::ListProgramStep> steps;
      for (const PlannedStep& step : planned) steps.push_back({step.bind(addresses), step.after_barrier});
      return steps;
    };
    const auto work = [bound](const Addresses& addresses, kernels::CudaQueue& queue) {
      kernels::list_program_cuda(queue, bound(addresses));
    };
    check(work);
    Step& added = append_step(node(), graph_.nodes[static_cast<std::size_t>(first)].name + " .. " + node().name,
                              "list_program", std::to_string(planned.size()) + " steps", reads, writes,
                              [work](const Addresses& addresses) { work(addresses, queue_of(addresses)); });
    added.flops = cost.flops;
    added.bytes = cost.bytes;
    const std::vector<std::size_t> offsets(program_.buffers.size(), 0);
    added.predicted_seconds = kernels::predicted_list_program_seconds(
        bound({reinterpret_cast<std::byte*>(std::uintptr_t{4096}), offsets.data(), nullptr}), chip_);
    planned.clear();
    barriers = {};
    cost = {};
  };
  const auto add = [&](PlannedStep step) {
    barriers.place(step);
    planned.push_back(std::move(step));
  };
  const auto add_linear = [&](const View& in, const kernels::LinearHead& head, const View& out) {
    add({[=](const Addresses& addresses) -> kernels::ListOperation {
           return kernels::ListLinear{in.at(addresses), head.weight, head.bias, head.activation, out.at(addresses)};
         },
         {in},
         out});
  };
  const auto add_unfinished = [&](graph::ValueId value) {
    const auto found = unfinished_.find(value);
    if (found == unfinished_.end()) return;
    const Unfinished from = found->second;
    unfinished_.erase(found);
    const View out = stored(value) = new_view(value, stored_as(value), block_of(value));
    add({[=](const Addresses& addresses) -> kernels::ListOperation {
           const std::byte* const parts = from.workspace.address(addresses) + from.parts.offset;
           return kernels::ListFinish{reinterpret_cast<const float*>(parts), from.parts.splits, from.heads,
                                      from.key_width, out.at(addresses)};
         },
         {from.workspace},
         out,
         true});
  };
  const auto add_copy = [&](const View& in, const View& out) {
    add({[=](const Addresses& addresses) -> kernels::ListOperation {
           return kernels::ListCopy{in.at(addresses), out.at(addresses)};
         },
         {in},
         out,
         true});
  };

  // Where others read a list as well, those that round it have a copy in fp16, half the bytes for each of 8 blocks.
  std::map<graph::ValueId, View> rounded;
  const auto add_rounded = [&](const View& made) {
    const graph::ValueId value = node().output();
    const std::vector<int> readers = graph_.consumers(value);
    if (made.tensor.type == DataType::f16 || extent(value).channels % 8 != 0 ||
        std::none_of(readers.begin(), readers.end(), rounds))
      return;
    View copy = new_view(value, DataType::f16, block_of(value));
    rounded[value] = copy;
    add_copy(made, copy);
  };
  const auto factors = [&](std::size_t i) {
    const auto found = rounded.find(node().inputs[i]);
    return found == rounded.end() ? input(i) : found->second;
  };
  for (; node_ < end; ++node_) {
    // One step more for each list that attention has left in parts, and one for a copy.
    if (planned.size() + list_steps_of(node()) + node().inputs.size() + 1 > kernels::most_list_steps()) {
      --node_;
      flush();
      ++node_;
    }
    const graph::Operation& operation = node().operation;
    for (const graph::ValueId value : node().inputs) add_unfinished(value);
    if (std::holds_alternative<graph::SliceRows>(operation)) {
      add_node();
      continue;
    }
    const graph::Cost more = node_cost(size_of(factor_type()));
    cost.flops += more.flops;
    cost.bytes += more.bytes;
    if (const auto* linear = std::get_if<graph::Linear>(&operation)) {
      add_linear(factors(0), head_of("weight", *linear), output());
    } else if (const auto* heads = std::get_if<graph::LinearHeads>(&operation)) {
      for (std::size_t i = 0; i < heads->heads.size(); ++i)
        add_linear(factors(0), head_of("head " + std::to_string(i), heads->heads[i]), output(i));
    } else if (std::holds_alternative<graph::Add>(operation)) {
      const View a = input(0), b = input(1), out = output();
      add({[=](const Addresses& addresses) -> kernels::ListOperation {
             return kernels::ListAdd{a.at(addresses), b.at(addresses), out.at(addresses)};
           },
           {a, b},
           out,
           true});
      add_rounded(out);
    } else if (const auto* norm = std::get_if<graph::LayerNorm>(&operation)) {
      const View in = input(0), out = output();
      const float *weight = vector_of("weight", norm->weight), *bias = vector_of("bias", norm->bias);
      add({[=, epsilon = norm->epsilon](const Addresses& addresses) -> kernels::ListOperation {
             return kernels::ListNorm{in.at(addresses), weight, bias, epsilon, out.at(addresses)};
           },
           {in},
           out,
           true});
      add_rounded(out);
    } else if (std::holds_alternative<graph::ConcatRows>(operation)) {
      const View out = output();
      std::int64_t begin = 0;
      for (std::size_t i = 0; i < node().inputs.size(); ++i) {
        const View in = input(i);
        add_copy(in, out.rows(begin, in.tensor.height));
        begin += in.tensor.height;
      }
    } else if (std::holds_alternative<graph::GatherPositions>(operation)) {
      const View in = input(0), positions = input(1), out = output();
      add({[=](const Addresses& addresses) -> kernels::ListOperation {
             return kernels::ListGather{in.at(addresses), positions.at(addresses), out.at(addresses)};
           },
           {in, positions},
           out,
           true});
    } else if (const auto* attention = std::get_if<graph::Attention>(&operation)) {
      const View queries = factors(0), keys = factors(1), values = factors(2), out = output();
      add({[=, heads_of = attention->heads](const Addresses& addresses) -> kernels::ListOperation {
             return kernels::ListAttention{queries.at(addresses), keys.at(addresses), values.at(addresses), heads_of,
                                           out.at(addresses)};
           },
           {queries, keys, values},
           out});
    }
  }
  --node_;
  flush();
}

}  // namespace maskrt::cuda
