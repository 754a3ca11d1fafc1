// The step of a convolution.
#include "kernels/conv/cuda/conv_cuda.h"
#include "program_builder.h"

namespace maskrt::cuda {
namespace {

/// All that the packed weights of a layer depend on but the layer.
std::string key_of(const kernels::ConvWeightLayout& layout) {
  return "weight " + std::string(name_of(layout.type)) + " x" + std::to_string(layout.merged) +
         (layout.pixel_pairs ? " pairs+" + std::to_string(layout.pair_shift) : "") + " " +
         std::to_string(layout.tap_channels) + " " + std::to_string(layout.depth);
}

}  // namespace

void ProgramBuilder::add(const graph::Conv& op) {
  const View in = input(0);
  require_factors(in);
  kernels::CudaConvProblem problem;
  const Shape& shape = op.weight->shape();
  problem.geometry = {
      static_cast<int>(shape[2]), static_cast<int>(shape[3]), op.stride, op.padding, op.dilation, op.groups};
  // A norm's factors stay apart from fp16 weights: plain ones of a checkpoint in fp16 then lose nothing.
  const graph::Constant::ScaledRows& scaled = op.weight->scaled_rows();
  problem.scale = in.tensor.type == DataType::f16 && scaled.factors != nullptr;
  const graph::ConstantPtr& weight = problem.scale ? scaled.rows : op.weight;
  problem.bias = op.bias != nullptr;
  problem.tf32 = node_precision() == Precision::tf32;
  problem.coordinates = op.coordinate_weight != nullptr;
  problem.activation = activation_of(op.activation, true);
  if (op.activation == graph::Activation::leaky_relu) problem.slope = graph::kLeakySlope;

  View residual;
  if (op.residual) {
    residual = input(1);
    problem.residual = residual.planned();
    problem.residual_kind = op.residual_scale == 1 ? kernels::ConvResidual::same : kernels::ConvResidual::upsampled;
  }
  // In place where nobody reads the residual afterwards.
  const graph::ValueId output = node().output();
  problem.in = in.planned();
  problem.out.channels = extent(output).channels;
  View out;
  if (problem.residual_kind == kernels::ConvResidual::same && may_overwrite(1, residual) &&
      residual.tensor.type == value_type(output)) {
    out = stored(output) = residual;
  } else if (op.groups > 1 && is_aggregated_alone() && kernels::groups_may_lie_apart(problem)) {
    out = make_apart(output, op.groups);
    problem.out_group_stride = groups_apart_[output].stride;
  } else {
    out = make_output();
  }
  problem.out = out.planned();

  convolutions_.push_back(problem);
  const kernels::ConvChoice tuned = tuning_.find(problem, chip_);
  const kernels::CudaConvPlan plan = kernels::plan_conv(problem, chip_, tuned.kernel >= 0 ? &tuned : nullptr);
  const void* weights = weights_of(key_of(plan.weights), [&] {
    std::vector<std::byte> packed(plan.weights.bytes());
    kernels::pack_conv_weight(plan.weights, weight->evaluate().data(), packed.data());
    return packed;
  });
  if (next_weights_ != nullptr) *next_weights_ = {weights, plan.weights.bytes()};
  next_weights_ = std::make_shared<NextWeights>();
  const float* scale = problem.scale ? vector_of("scale", scaled.factors) : nullptr;
  const float* bias = vector_of("bias", op.bias);
  const std::byte* table = nullptr;
  if (op.coordinate_weight != nullptr) {
    const graph::Extent& e = extent(node().inputs[0]);
    table = weights_of("coordinates " + std::string(name_of(in.tensor.type)) + " " + std::to_string(e.height) + "x" +
                           std::to_string(e.width),
                       [&] {
                         return kernels::make_coordinate_table(problem.geometry, in.tensor.type,
                                                               op.coordinate_weight->evaluate().data(),
                                                               extent(output).channels, e.height, e.width)
                             .bytes;
                       });
  }

  const View workspace = scratch(plan.workspace_bytes), counters = zeroed(plan.counter_bytes);
  step("conv",
       plan.kernel.entry + (plan.choice.splits > 1 ? " / " + std::to_string(plan.choice.splits) : std::string()),
       {in, residual, workspace, counters}, {out, workspace, counters},
       [=, next = next_weights_](const Addresses& addresses, kernels::CudaQueue& queue) {
         kernels::launch_conv(
             plan,
             {in.address(addresses), weights, scale, bias, residual.address(addresses), table, out.address(addresses),
              workspace.address(addresses), counters.address(addresses), next->data, next->bytes},
             queue);
       });
  program_.steps.back().predicted_seconds = plan.predicted_seconds;
}

}  // namespace maskrt::cuda
