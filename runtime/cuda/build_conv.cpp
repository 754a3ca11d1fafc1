// The steps of a convolution.
#include "kernels/conv/cuda/conv_cuda.h"
#include "kernels/conv/cuda/depthwise_cuda.h"
#include "program_builder.h"
#include "runtime/kernel_activation.h"

namespace maskrt::cuda {
namespace {

/// All that the packed weights of a layer depend on but the layer.
std::string key_of(const kernels::ConvWeightLayout& layout) {
  return "weight " + std::string(name_of(layout.type)) + " x" + std::to_string(layout.merged) +
         (layout.pixel_pairs ? " pairs+" + std::to_string(layout.pair_shift) : "") + " " +
         std::to_string(layout.tap_channels) + " " + std::to_string(layout.depth);
}

kernels::ConvGeometry geometry_of(const graph::Conv& op) {
  const Shape& shape = op.weight->shape();
  return {static_cast<int>(shape[2]), static_cast<int>(shape[3]), op.stride, op.padding, op.dilation, op.groups};
}

}  // namespace

bool ProgramBuilder::has_depthwise_kernel(const graph::Conv& op) const {
  const DataType in = input(0).tensor.type, out = value_type(node().output());
  return op.groups > 1 && kernels::is_depthwise(geometry_of(op), input(0).tensor.channels, op.weight->shape()[0]) &&
         in == out && !op.residual && op.coordinate_weight == nullptr;
}

void ProgramBuilder::add_depthwise(const graph::Conv& op) {
  const View in = input(0), out = make_output();
  const kernels::ConvGeometry geometry = geometry_of(op);
  const kernels::Activation activation = kernel_activation(op.activation);
  // A norm's factors stay apart from fp16 weights: plain ones of a checkpoint in fp16 then lose nothing.
  const graph::Constant::ScaledRows& scaled = op.weight->scaled_rows();
  const bool apart = in.tensor.type == DataType::f16 && scaled.factors != nullptr;
  const std::byte* weights = weights_of("depthwise " + std::string(name_of(in.tensor.type)), [&] {
    const auto numbers = [](const graph::ConstantPtr& constant) {
      return constant != nullptr ? constant->evaluate() : std::vector<float>();
    };
    return kernels::pack_depthwise_weight(in.tensor.type, op.weight->shape(),
                                          (apart ? scaled.rows : op.weight)->evaluate(),
                                          numbers(apart ? scaled.factors : nullptr), numbers(op.bias));
  });
  step("conv", "depthwise", {in}, {out}, [=](const Addresses& addresses, kernels::CudaQueue& queue) {
    kernels::depthwise_conv_cuda(queue, geometry, in.at(addresses), weights, activation, out.at(addresses),
                                 graph::kLeakySlope);
  });
  program_.steps.back().predicted_seconds =
      kernels::predicted_depthwise_seconds(geometry, out.planned(), activation, chip_);
}

const graph::LayerNorm* ProgramBuilder::norm_behind(graph::ValueId value, kernels::CudaConvProblem problem) const {
  const std::vector<int> readers = graph_.consumers(value);
  if (graph_.is_output(value) || readers.size() != 1) return nullptr;
  const graph::Node& reader = graph_.nodes[static_cast<std::size_t>(readers[0])];
  const auto* norm = std::get_if<graph::LayerNorm>(&reader.operation);
  if (norm == nullptr || norm->activation != graph::Activation::none) return nullptr;
  const graph::Extent& e = extent(reader.output());
  problem.out = kernels::dense(nullptr, value_type(reader.output()), e.batch, e.height, e.width, e.channels,
                               block_of(reader.output()));
  return kernels::may_norm(problem, chip_) ? norm : nullptr;
}

void ProgramBuilder::add(const graph::Conv& op) {
  const View in = input(0);
  require_factors(in);
  if (has_depthwise_kernel(op)) return add_depthwise(op);
  kernels::CudaConvProblem problem;
  problem.geometry = geometry_of(op);
  // A norm's factors stay apart from fp16 weights: plain ones of a checkpoint in fp16 then lose nothing.
  const graph::Constant::ScaledRows& scaled = op.weight->scaled_rows();
  problem.scale = in.tensor.type == DataType::f16 && scaled.factors != nullptr;
  const graph::ConstantPtr& weight = problem.scale ? scaled.rows : op.weight;
  problem.bias = op.bias != nullptr;
  problem.tf32 = node_precision() == Precision::tf32;
  problem.coordinates = op.coordinate_weight != nullptr;
  // These kernels have no GELU, which would cost all others registers.
  const bool activated_later = op.activation == graph::Activation::gelu;
  problem.activation = activated_later ? kernels::Activation::none : kernel_activation(op.activation);
  problem.slope = graph::kLeakySlope;

  View residual;
  if (op.residual) {
    residual = input(1);
    problem.residual = residual.planned();
    problem.residual_kind = op.residual_scale == 1 ? kernels::ConvResidual::same : kernels::ConvResidual::upsampled;
  }
  problem.in = in.planned();
  // A norm behind it is part of it where a kernel has that: then there is no map between.
  graph::ValueId output = node().output();
  const graph::LayerNorm* const norm = norm_behind(output, problem);
  if (norm != nullptr) {
    problem.norm = true;
    problem.norm_epsilon = static_cast<float>(norm->epsilon);
    output = graph_.nodes[static_cast<std::size_t>(graph_.consumers(output)[0])].output();
  }
  // In place where nobody reads the residual afterwards.
  problem.out.channels = extent(output).channels;
  View out;
  if (problem.residual_kind == kernels::ConvResidual::same && may_overwrite(1, residual) &&
      residual.tensor.type == value_type(output)) {
    out = stored(output) = residual;
  } else if (op.groups > 1 && is_aggregated_alone() && kernels::groups_may_lie_apart(problem)) {
    out = make_apart(output, op.groups);
    problem.out_group_stride = groups_apart_[output].stride;
  } else {
    out = make(output);
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
  const float* norm_weight = norm == nullptr ? nullptr : vector_of("norm weight", norm->weight);
  const float* norm_bias = norm == nullptr ? nullptr : vector_of("norm bias", norm->bias);
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
         kernels::launch_conv(plan,
                              {in.address(addresses), weights, scale, bias, residual.address(addresses), table,
                               norm_weight, norm_bias, out.address(addresses), workspace.address(addresses),
                               counters.address(addresses), next->data, next->bytes},
                              queue);
       });
  program_.steps.back().predicted_seconds = plan.predicted_seconds;
  if (activated_later) activate_in_place(op.activation, out);
}

}  // namespace maskrt::cuda
