// Steps of ResNets' deformable convolutions and of their shortcuts' average pools.
#include "kernels/deform/cuda/deform_conv_cuda.h"
#include "kernels/pool/average_windows_cuda.h"
#include "program_builder.h"
#include "runtime/kernel_activation.h"

namespace maskrt::cuda {

void ProgramBuilder::add(const graph::DeformConv& op) {
  const View in = input(0), offsets = input(1);
  require_factors(in);
  const Shape& shape = op.weight->shape();
  kernels::CudaDeformProblem problem;
  problem.geometry.conv = {
      static_cast<int>(shape[2]), static_cast<int>(shape[3]), op.stride, op.padding, op.dilation, op.groups};
  problem.geometry.offset_groups = op.offset_groups;
  problem.geometry.modulated = op.modulated;
  // As of convolutions, a norm's factors stay apart from fp16 weights.
  const graph::Constant::ScaledRows& scaled = op.weight->scaled_rows();
  problem.scale = in.tensor.type == DataType::f16 && scaled.factors != nullptr;
  const graph::ConstantPtr& weight = problem.scale ? scaled.rows : op.weight;
  problem.bias = op.bias != nullptr;
  problem.tf32 = node_precision() == Precision::tf32;
  problem.activation = kernel_activation(op.activation);
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
  const float* bias = vector_of("bias", op.bias);

  const View workspace = scratch(plan.workspace_bytes), counters = zeroed(plan.counter_bytes);
  step("deform_conv",
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
}

void ProgramBuilder::add(const graph::AveragePool& op) {
  const View in = input(0), out = make_output();
  step("average_pool", "direct", {in}, {out}, [=](const Addresses& addresses, kernels::CudaQueue& queue) {
    kernels::average_pool_cuda(queue, {op.kernel, op.stride}, in.at(addresses), out.at(addresses));
  });
}

}  // namespace maskrt::cuda
