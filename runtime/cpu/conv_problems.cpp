#include "conv_problems.h"

#include "runtime/kernel_activation.h"

namespace maskrt::cpu {
namespace {

constexpr int kMostSeparateGroups = 8;

kernels::Tensor tensor_of(const graph::Extent& extent, DataType type, std::int64_t block) {
  return kernels::dense(nullptr, type, extent.batch, extent.height, extent.width, extent.channels, block);
}

}  // namespace

bool has_isa(dnnl::cpu_isa isa) {
  const auto has = static_cast<unsigned>(dnnl::get_effective_cpu_isa()), wanted = static_cast<unsigned>(isa);
  return (has & wanted) == wanted;
}

std::int64_t native_block() {
  // oneDNN knows: the layout that a common convolution asks for when it may choose.
  static const std::int64_t block = [] {
    kernels::ConvProblem problem;
    problem.geometry = {3, 3, 1, 1, 1, 1};
    problem.in = problem.out = kernels::dense(nullptr, DataType::f32, 1, 16, 16, 64, 16);
    if (kernels::Convolution::make(problem, kernels::ConvAlgorithm::direct) != nullptr &&
        has_isa(dnnl::cpu_isa::avx512_core))
      return std::int64_t{16};
    problem.in = problem.out = kernels::dense(nullptr, DataType::f32, 1, 16, 16, 64, 8);
    return kernels::Convolution::make(problem, kernels::ConvAlgorithm::direct) != nullptr ? std::int64_t{8}
                                                                                          : std::int64_t{0};
  }();
  return block;
}

std::int64_t input_block(std::int64_t channels) { return channels <= 4 ? 1 : native_block(); }

ConvNode::ConvNode(const graph::Conv& op, const graph::Extent& in_extent, const graph::Extent& out_extent)
    : in(in_extent), out(out_extent) {
  geometry = {static_cast<int>(op.weight->shape()[2]),
              static_cast<int>(op.weight->shape()[3]),
              op.stride,
              op.padding,
              op.dilation,
              op.groups};
  bias = op.bias != nullptr;
  accumulate = op.residual || op.coordinate_weight != nullptr;
  if (op.activation != graph::Activation::sigmoid) activation = kernel_activation(op.activation);
}

kernels::ConvProblem ConvNode::whole(DataType in_type, DataType out_type) const {
  return {geometry,
          tensor_of(in, in_type, input_block(in.channels)),
          tensor_of(out, out_type, native_block()),
          bias,
          accumulate,
          activation,
          graph::kLeakySlope};
}

std::optional<kernels::ConvProblem> ConvNode::one_group(DataType in_type, DataType out_type) const {
  const std::int64_t block = native_block(), groups = geometry.groups;
  if (groups == 1 || groups > kMostSeparateGroups || block == 0 || in.channels / groups % block != 0)
    return std::nullopt;
  kernels::ConvProblem problem = whole(in_type, out_type);
  problem.geometry.groups = 1;
  problem.in.channels /= groups;
  if (out.channels / groups % block == 0) {
    problem.out.channels /= groups;
  } else {
    // Nothing but the plain epilogue is written into such parts.
    if (accumulate) return std::nullopt;
    graph::Extent part = out;
    part.channels /= groups;
    problem.out = tensor_of(part, out_type, block);
  }
  return problem;
}

std::optional<kernels::ConvProblem> ConvNode::one_half(DataType in_type, DataType out_type) const {
  const std::int64_t block = native_block();
  if (geometry.groups != 1 || block == 0 || out.channels % (2 * block) != 0) return std::nullopt;
  kernels::ConvProblem problem = whole(in_type, out_type);
  problem.out.channels /= 2;
  // Of one image nothing reads the batch's stride: a dense one lets halves share what was found out about a whole.
  if (out.batch == 1) problem.out.batch_stride /= 2;
  return problem;
}

std::vector<kernels::ConvProblem> ConvNode::input_slices(DataType in_type, DataType out_type) const {
  constexpr std::int64_t channels = 128;
  const kernels::ConvGeometry& g = geometry;
  const bool winograd = g.kernel_height == 3 && g.kernel_width == 3 && g.stride == 1 && g.dilation == 1;
  const std::int64_t block = native_block();
  if (!winograd || g.groups != 1 || in_type != DataType::f32 || block == 0 || channels % block != 0 ||
      in.channels % channels != 0 || in.channels == channels)
    return {};
  kernels::ConvProblem problem = whole(in_type, out_type);
  problem.in.channels = channels;
  problem.activation = kernels::Activation::none;
  std::vector<kernels::ConvProblem> slices(static_cast<std::size_t>(in.channels / channels), problem);
  for (std::size_t i = 1; i < slices.size(); ++i) {
    slices[i].bias = false;
    slices[i].accumulate = true;
  }
  slices.back().activation = activation;
  return slices;
}

}  // namespace maskrt::cpu
