// Steps of operations that make or read lists of vectors.
#include "kernels/iam/iam_cuda.h"
#include "kernels/layout/layout_cuda.h"
#include "kernels/linear/linear_cuda.h"
#include "kernels/mask_head/mask_product_cuda.h"
#include "program_builder.h"
#include "runtime/kernel_activation.h"

namespace maskrt::cuda {
namespace {

/// How the kernels that have tensor cores multiply what is stored like this.
std::string algorithm_of(const View& factors) {
  return factors.tensor.type == DataType::f16 ? "tensor cores" : "multiply-adds";
}

}  // namespace

bool ProgramBuilder::is_aggregated_alone() const {
  const graph::ValueId maps = node().output();
  const std::vector<int> readers = graph_.consumers(maps);
  if (graph_.is_output(maps) || readers.size() != 1) return false;
  const graph::Node& reader = graph_.nodes[static_cast<std::size_t>(readers[0])];
  const bool aggregates = std::holds_alternative<graph::Aggregate>(reader.operation) ||
                          std::holds_alternative<graph::AggregateLogits>(reader.operation);
  return aggregates && reader.inputs[0] == maps && reader.inputs[1] != maps;
}

void ProgramBuilder::aggregate(kernels::MapWeights weights, double epsilon, const float* bias) {
  const View maps = input(0), features = input(1), out = make_output();
  const kernels::MapGroups groups = groups_apart_[node().inputs[0]];
  const View workspace =
      scratch(kernels::aggregate_workspace_bytes(chip_, maps.planned(), features.planned(), weights, groups));
  step(std::string(graph::name_of(node().operation)), algorithm_of(maps), {maps, features, workspace}, {out, workspace},
       [=](const Addresses& addresses, kernels::CudaQueue& queue) {
         kernels::aggregate_cuda(queue, maps.at(addresses), features.at(addresses), weights, epsilon,
                                 workspace.address(addresses), out.at(addresses), groups, bias);
       });
}

void ProgramBuilder::add(const graph::Aggregate&) { aggregate(kernels::MapWeights::plain, 0, nullptr); }

void ProgramBuilder::add(const graph::AggregateLogits& op) {
  aggregate(op.softmax ? kernels::MapWeights::softmax : kernels::MapWeights::sigmoid, op.epsilon,
            vector_of("bias", op.bias));
}

void ProgramBuilder::add(const graph::Regroup& op) {
  const View in = input(0), out = make_output();
  step("regroup", "channel copies", {in}, {out}, [=](const Addresses& addresses, kernels::CudaQueue& queue) {
    const kernels::Tensor from = in.at(addresses), to = out.at(addresses);
    const std::int64_t count = to.channels / op.blocks;
    for (std::int64_t block = 0; block < op.blocks; ++block) {
      kernels::Tensor part = kernels::dense(from.as<float>() + block * op.instances * count, from.type, from.batch,
                                            op.instances, 1, count, 0);
      part.batch_stride = from.batch_stride;
      kernels::copy_channels_cuda(queue, part, 0, to, block * count, count);
    }
  });
}

kernels::LinearHead ProgramBuilder::head_of(const std::string& what, const graph::Linear& op) {
  kernels::LinearHead head;
  head.weight = rows_of(what, *op.weight, kernels::linear_weight_stride(op.weight->shape()[1]));
  head.bias = vector_of(what + " bias", op.bias);
  head.activation = kernel_activation(op.activation);
  return head;
}

void ProgramBuilder::add_linear(const View& in, const std::optional<kernels::RegroupedList>& regrouped,
                                const std::vector<kernels::LinearHead>& heads) {
  std::vector<View> outs;
  for (const graph::ValueId output : node().outputs) outs.push_back(make(output));
  step("linear", std::to_string(heads.size()) + (heads.size() == 1 ? " head" : " heads"), {in}, outs,
       [=, type = factor_type()](const Addresses& addresses, kernels::CudaQueue& queue) {
         std::vector<kernels::LinearHead> bound = heads;
         for (std::size_t i = 0; i < bound.size(); ++i) bound[i].out = outs[i].at(addresses);
         kernels::linear_cuda(queue, in.at(addresses), regrouped ? &*regrouped : nullptr, type, bound);
       });
}

void ProgramBuilder::add(const graph::Linear& op) {
  kernels::LinearHead head = head_of("weight", op);
  const bool activated_later = !kernels::is_short(head.activation);
  if (activated_later) head.activation = kernels::Activation::none;
  add_linear(input(0), std::nullopt, {head});
  if (activated_later) activate_in_place(op.activation, stored(node().output()));
}

void ProgramBuilder::add(const graph::LinearHeads& op) {
  std::vector<kernels::LinearHead> heads;
  for (std::size_t i = 0; i < op.heads.size(); ++i) heads.push_back(head_of("head " + std::to_string(i), op.heads[i]));
  std::optional<kernels::RegroupedList> regrouped;
  if (op.blocks != 0) regrouped = {op.blocks, op.instances};
  add_linear(input(0), regrouped, heads);
}

void ProgramBuilder::add(const graph::ConcatRows&) {
  std::vector<View> inputs;
  for (std::size_t i = 0; i < node().inputs.size(); ++i) inputs.push_back(input(i));
  const View out = make_output();
  step("concat_rows", "channel copies", inputs, {out}, [=](const Addresses& addresses, kernels::CudaQueue& queue) {
    std::int64_t begin = 0;
    for (const View& in : inputs) {
      const kernels::Tensor part = out.rows(begin, in.tensor.height).at(addresses);
      kernels::copy_channels_cuda(queue, in.at(addresses), 0, part, 0, part.channels);
      begin += in.tensor.height;
    }
  });
}

void ProgramBuilder::add(const graph::SliceRows& op) {
  const View in = input(0);
  // Callers find outputs in the arena, where constants are not.
  if (in.prepared == nullptr || !graph_.is_output(node().output())) {
    if (in.prepared == nullptr) share(in);
    stored(node().output()) = in.rows(op.begin, op.count);
    return;
  }
  const View out = make_output();
  step("slice_rows", "channel copy", {in}, {out},
       [=, begin = op.begin, count = op.count](const Addresses& addresses, kernels::CudaQueue& queue) {
         kernels::copy_channels_cuda(queue, in.rows(begin, count).at(addresses), 0, out.at(addresses), 0,
                                     out.tensor.channels);
       });
}

void ProgramBuilder::add(const graph::MaskProduct& op) {
  const View kernels = input(0), features = input(1), out = make_in_sectors(node().output());
  step("mask_product", algorithm_of(features), {kernels, features}, {out},
       [=](const Addresses& addresses, kernels::CudaQueue& queue) {
         kernels::mask_product_cuda(queue, kernels.at(addresses), features.at(addresses), op.offset, out.at(addresses));
       });
}

}  // namespace maskrt::cuda
