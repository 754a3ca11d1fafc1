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

void ProgramBuilder::aggregate(kernels::MapWeights weights, double epsilon) {
  const View maps = input(0), features = input(1), out = make_output();
  const kernels::MapGroups groups = groups_apart_[node().inputs[0]];
  const View workspace =
      scratch(kernels::aggregate_workspace_bytes(chip_, maps.planned(), features.planned(), weights, groups));
  step(std::string(graph::name_of(node().operation)), algorithm_of(maps), {maps, features, workspace}, {out, workspace},
       [=](const Addresses& addresses, kernels::CudaQueue& queue) {
         kernels::aggregate_cuda(queue, maps.at(addresses), features.at(addresses), weights, epsilon,
                                 workspace.address(addresses), out.at(addresses), groups);
       });
}

void ProgramBuilder::add(const graph::Aggregate&) { aggregate(kernels::MapWeights::plain, 0); }

void ProgramBuilder::add(const graph::AggregateLogits& op) {
  aggregate(op.softmax ? kernels::MapWeights::softmax : kernels::MapWeights::sigmoid, op.epsilon);
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

void ProgramBuilder::add(const graph::Linear&) {
  kernels::RegroupedList regrouped;
  std::vector<int> nodes{node_};
  const auto heads = fusions_.heads.find(node_);
  if (heads != fusions_.heads.end()) nodes = heads->second;
  View in;
  const auto regroup = fusions_.regroup.find(node_);
  if (regroup != fusions_.regroup.end()) {
    const auto& op = std::get<graph::Regroup>(node(regroup->second).operation);
    regrouped = {op.blocks, op.instances};
    in = stored(node(regroup->second).inputs[0]);
  } else {
    in = input(0);
  }

  std::vector<kernels::LinearHead> prepared;
  std::vector<View> outs;
  for (const int i : nodes) {
    const auto& op = std::get<graph::Linear>(node(i).operation);
    const Shape& shape = op.weight->shape();
    kernels::LinearHead head;
    head.weight = rows_of(i, *op.weight, shape[0], shape[1], kernels::linear_weight_stride(shape[1]), factor_type());
    head.bias = vector_of(i, "bias", op.bias);
    head.activation = kernel_activation(op.activation);
    prepared.push_back(head);
    outs.push_back(make(node(i).output()));
  }
  if (regroup != fusions_.regroup.end()) nodes.push_back(regroup->second);
  step(
      "linear", std::to_string(prepared.size()) + (prepared.size() == 1 ? " head" : " heads"), {in}, outs,
      [=, through = regroup != fusions_.regroup.end(), type = factor_type()](const Addresses& addresses,
                                                                             kernels::CudaQueue& queue) {
        std::vector<kernels::LinearHead> bound = prepared;
        for (std::size_t i = 0; i < bound.size(); ++i) bound[i].out = outs[i].at(addresses);
        kernels::linear_cuda(queue, in.at(addresses), through ? &regrouped : nullptr, type, bound);
      },
      nodes);
}

void ProgramBuilder::add(const graph::MaskProduct& op) {
  const View kernels = input(0), features = input(1), out = make_in_sectors(node().output());
  step("mask_product", algorithm_of(features), {kernels, features}, {out},
       [=](const Addresses& addresses, kernels::CudaQueue& queue) {
         kernels::mask_product_cuda(queue, kernels.at(addresses), features.at(addresses), op.offset, out.at(addresses));
       });
}

}  // namespace maskrt::cuda
