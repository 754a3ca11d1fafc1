// Steps of ResNets' deformable convolutions and of their shortcuts on means.
#include "kernels/pool/average_windows_cuda.h"
#include "program_builder.h"
#include "runtime/kernel_activation.h"

namespace maskrt::cuda {

void ProgramBuilder::add(const graph::DeformConv& op) {
  kernels::CudaDeformProblem problem;
  const Shape& shape = op.weight->shape();
  problem.geometry.conv = {
      static_cast<int>(shape[2]), static_cast<int>(shape[3]), op.stride, op.padding, op.dilation, op.groups};
  problem.geometry.offset_groups = op.offset_groups;
  problem.geometry.modulated = op.modulated;
  add_sampled("deform_conv", problem, input(1), op.weight, op.bias, op.activation);
}

void ProgramBuilder::add(const graph::PooledConv& op) {
  kernels::CudaDeformProblem problem;
  problem.geometry.conv.stride = 2;
  problem.pooled = true;
  add_sampled("pooled_conv", problem, View{}, op.weight, op.bias, op.activation);
}

void ProgramBuilder::add_sampled(const std::string& operation, kernels::CudaDeformProblem problem, const View& offsets,
                                 const graph::ConstantPtr& whole_weight, const graph::ConstantPtr& whole_bias,
                                 graph::Activation activation) {
  const View in = input(0);
  require_factors(in);
  // As of convolutions, a norm's factors stay apart from fp16 weights.
  const graph::Constant::ScaledRows& scaled = whole_weight->scaled_rows();
  problem.scale = in.tensor.type == DataType::f16 && scaled.factors != nullptr;
  const graph::ConstantPtr& weight = problem.scale ? scaled.rows : whole_weight;
  problem.bias = whole_bias != nullptr;
  problem.tf32 = node_precision() == Precision::tf32;
  const bool activated_later = activation == graph::Activation::gelu;
  problem.activation = activated_later ? kernels::Activation::none : kernel_activation(activation);
  if (activation == graph::Activation::leaky_relu) problem.slope = graph::kLeakySlope;
  const View out = make_output();
  problem.in = in.planned();
  problem.offsets = offsets.planned();
  problem.out = out.planned();

  const kernels::CudaDeformPlan plan = kernels::plan_deform_conv(problem, chip_);
  const void* weights = weights_of("deform " + std::string(name_of(plan.weights.type)), [&] {
    std::vector<std::byte> packed(plan.weights.bytes());
    kernels::pack_deform_weight(plan.weights, weight->evaluate().data(), packed.data());
    return packed;
  });
  if (next_weights_ != nullptr) *next_weights_ = {weights, plan.weights.bytes()};
  next_weights_ = std::make_shared<NextWeights>();
  const float* scale = problem.scale ? vector_of("scale", scaled.factors) : nullptr;
  const float* bias = vector_of("bias", whole_bias);

  const View workspace = scratch(plan.workspace_bytes), counters = zeroed(plan.counter_bytes);
  step(operation,
       plan.kernel.entry + (plan.choice.splits > 1 ? " / " + std::to_string(plan.choice.splits) : std::string()),
       {in, offsets, workspace, counters}, {out, workspace, counters},
       [=, next = next_weights_](const Addresses& addresses, kernels::CudaQueue& queue) {
         kernels::launch_deform_conv(
             plan,
             {in.address(addresses), offsets.address(addresses), weights, scale, bias, out.address(addresses),
              workspace.address(addresses), counters.address(addresses), next->data, next->bytes},
             queue);
       });
  program_.steps.back().predicted_seconds = plan.predicted_seconds;
  if (activated_later) activate_in_place(activation, out);
}

void ProgramBuilder::add(const graph::AveragePool& op) {
  const View in = input(0), out = make_output();
  step("average_pool", "direct", {in}, {out}, [=](const Addresses& addresses, kernels::CudaQueue& queue) {
    kernels::average_pool_cuda(queue, {op.kernel, op.stride}, in.at(addresses), out.at(addresses));
  });
}

}  // namespace maskrt::cuda
