#include "deform_conv_cuda.h"

#include <algorithm>
#include <string>

#include "deform_cost.h"
#include "deform_kernels.h"
#include "deform_tma_params.h"
#include "kernels/conv/cuda/conv_tensors.h"

namespace maskrt::kernels {
namespace {

[[noreturn]] void refuse(const std::string& expected, const std::string& found) {
  throw Error("deformable convolution on the GPU: expected " + expected + ", found " + found);
}

std::string shape_of(const Tensor& t) {
  return std::string(name_of(t.type)) + " " + to_string(Shape{t.batch, t.height, t.width, t.channels});
}

int narrow(std::int64_t n) { return static_cast<int>(n); }

void check_tensor(const Tensor& t, const char* what, bool known, const Shape& want) {
  if (!known) refuse(std::string(what) + " in fp32 or fp16", shape_of(t));
  check_conv_tensor(t, what);
  constexpr std::int64_t most = 1 << 23;  // positions are f32
  if (t.height > most || t.width > most) refuse("at most 2^23 rows and columns", shape_of(t));
  if (Shape{t.batch, t.height, t.width, t.channels} != want)
    refuse(std::string(what) + " of " + to_string(want), shape_of(t));
}

void check(const CudaDeformProblem& problem) {
  const DeformGeometry& geometry = problem.geometry;
  const ConvGeometry& g = geometry.conv;
  const Tensor &in = problem.in, &out = problem.out, &offsets = problem.offsets;
  const auto is_float = [](DataType type) { return type == DataType::f32 || type == DataType::f16; };
  for (const int n : {g.kernel_height, g.kernel_width, g.stride, g.dilation})
    if (n < 1 || n > 32767) refuse("kernels, strides and dilations from 1 to 32767", std::to_string(n));
  if (g.padding < 0 || g.padding > 32767) refuse("a padding from 0 to 32767", std::to_string(g.padding));
  if (g.groups < 1 || in.channels % g.groups != 0 || out.channels % g.groups != 0 || g.groups > 65535)
    refuse("at most 65535 groups, which divide the channels",
           std::to_string(g.groups) + " groups for " + shape_of(in) + " and " + shape_of(out));
  if (geometry.offset_groups < 1 || in.channels % geometry.offset_groups != 0)
    refuse("groups of offsets that divide the channels",
           std::to_string(geometry.offset_groups) + " for " + shape_of(in));
  check_tensor(in, "an input", is_float(in.type), {in.batch, in.height, in.width, in.channels});
  const std::int64_t height = conv_output_size(in.height, g.kernel_height, g),
                     width = conv_output_size(in.width, g.kernel_width, g);
  check_tensor(out, "an output", out.type == in.type || out.type == DataType::f32,
               {in.batch, height, width, out.channels});
  if (!problem.pooled) {
    check_tensor(offsets, "offsets", is_float(offsets.type), {in.batch, height, width, geometry.offset_channels()});
  } else if (geometry != DeformGeometry{{1, 1, 2, 0}}) {
    refuse("one group of a 1 x 1 kernel of stride 2 on pooled pixels", std::to_string(g.kernel_height) + " x " +
                                                                           std::to_string(g.kernel_width) +
                                                                           " of stride " + std::to_string(g.stride));
  }
  if (out.block > (out.channels + 7) / 8 * 8)
    refuse("at most 7 channels of padding in the output", std::to_string(out.block - out.channels));
}

/// Whether the kernels may load the input in chunks of 16 bytes: they are aligned, and each chunk holds only channels
/// of one part or zero padding.
bool is_wide(const Tensor& in, const DeformWeightLayout& weights) {
  const auto piece = static_cast<std::int64_t>(16 / size_of(in.type));
  const bool whole =
      weights.part_channels % piece == 0 || (weights.part_channels == in.channels && in.block >= weights.tap_channels);
  return whole && misalignment(in.data) == 0 && in.pixel_stride % piece == 0 && in.batch_stride % piece == 0;
}

bool are_pairs(const Tensor& offsets) {
  return misalignment(offsets.data) % (2 * size_of(offsets.type)) == 0 && offsets.pixel_stride % 2 == 0 &&
         offsets.batch_stride % 2 == 0;
}

ConvParams conv_params(const CudaDeformProblem& problem, const DeformWeightLayout& weights) {
  const ConvGeometry& g = problem.geometry.conv;
  const Tensor &in = problem.in, &out = problem.out;
  ConvParams p = {};
  p.pixels = narrow(out.batch * out.height * out.width);
  p.image = cuda::divide_by(out.height * out.width);
  p.row = cuda::divide_by(out.width);
  p.out_height = narrow(out.height);
  p.height = narrow(in.height);
  p.width = narrow(in.width);
  p.kernel_height = g.kernel_height;
  p.kernel_width = g.kernel_width;
  p.stride_y = p.stride_x = g.stride;
  p.padding_y = p.padding_x = g.padding;
  p.dilation = g.dilation;
  p.group_in = narrow(weights.group_in);
  p.tap_channels = narrow(weights.tap_channels);
  p.depth = narrow(weights.depth());
  p.group_out = narrow(out.channels / g.groups);
  p.in_batch_stride = narrow(in.batch_stride);
  p.in_pixel_stride = narrow(in.pixel_stride);
  p.in_wide = is_wide(in, weights) ? 1 : 0;
  p.out_channels = narrow(out.channels);
  p.out_group_stride = p.group_out;
  p.group_stored = p.group_out + narrow(out.block - out.channels);
  p.out_batch_stride = narrow(out.batch_stride);
  p.out_pixel_stride = narrow(out.pixel_stride);
  p.out_vector = epilogue_vector(out, p.group_out, g.groups);
  p.out_f32 = out.type == DataType::f32 ? 1 : 0;
  p.activation = problem.activation;
  p.slope = problem.slope;
  return p;
}

/// But for what depends on the kernel.
DeformParams params_of(const CudaDeformProblem& problem, const DeformWeightLayout& weights) {
  const DeformGeometry& geometry = problem.geometry;
  const Tensor& offsets = problem.offsets;
  DeformParams p = {};
  p.conv = conv_params(problem, weights);
  // Of a pooled map these are not read.
  p.offsets_f32 = offsets.type == DataType::f32 ? 1 : 0;
  p.offset_pairs = are_pairs(offsets) ? 1 : 0;
  p.offset_batch_stride = narrow(offsets.batch_stride);
  p.offset_pixel_stride = narrow(offsets.pixel_stride);
  p.modulation = geometry.modulated ? narrow(2 * geometry.offset_groups * geometry.taps()) : 0;
  p.taps = narrow(weights.taps);
  p.run_taps = narrow(weights.run_taps);
  p.tap_groups = narrow(weights.tap_groups);
  p.part_channels = narrow(weights.part_channels);
  p.block = narrow(weights.block);
  p.offset_group_channels = narrow(problem.in.channels / geometry.offset_groups);
  return p;
}

DeformGemm gemm_of(const CudaDeformProblem& problem, const DeformWeightLayout& weights) {
  const auto size = [](const Tensor& t) {
    return t.batch * t.height * t.width * t.channels * static_cast<std::int64_t>(size_of(t.type));
  };
  const ConvGeometry& g = problem.geometry.conv;
  DeformGemm gemm;
  gemm.pixels = problem.out.batch * problem.out.height * problem.out.width;
  gemm.groups = g.groups;
  gemm.columns = problem.out.channels / g.groups;
  gemm.depth = weights.depth();
  gemm.run_taps = weights.run_taps;
  gemm.out_bytes = size(problem.out);
  gemm.bytes = size(problem.in) + (problem.pooled ? 0 : size(problem.offsets)) + gemm.out_bytes +
               static_cast<std::int64_t>(weights.bytes());
  gemm.pooled = problem.pooled;
  gemm.height = problem.in.height;
  gemm.width = problem.in.width;
  gemm.out_width = problem.out.width;
  gemm.stride = g.stride;
  gemm.reach = g.dilation * (std::max(g.kernel_height, g.kernel_width) - 1);
  return gemm;
}

const ConvKernel& kernel_of(const ConvChoice& choice) {
  return deform_kernels()[static_cast<std::size_t>(choice.kernel)];
}

bool computes(const ConvKernel& kernel, const CudaDeformProblem& problem, bool wide, const Chip& chip) {
  return chip.path() >= kernel.oldest && chip.path() <= kernel.newest && kernel.type == problem.in.type &&
         (!kernel.tf32 || problem.tf32) && (wide || !kernel.tensor_cores) && resident_blocks(kernel, chip) > 0;
}

struct Candidate {
  ConvChoice choice;
  double seconds;
};

/// All choices that can compute the problem, by ascending predicted time; ties in the order of deform_kernels().
std::vector<Candidate> candidates(const CudaDeformProblem& problem, const DeformWeightLayout& weights,
                                  const Chip& chip) {
  const DeformGemm gemm = gemm_of(problem, weights);
  const bool wide = is_wide(problem.in, weights);
  std::vector<Candidate> all;
  for (std::size_t k = 0; k < deform_kernels().size(); ++k) {
    const ConvKernel& kernel = deform_kernels()[k];
    if (!computes(kernel, problem, wide, chip)) continue;
    for_each_split(kernel, gemm, chip, [&](int splits) {
      all.push_back({{static_cast<int>(k), splits}, predicted_seconds(kernel, gemm, splits, chip)});
    });
  }
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.seconds < b.seconds; });
  return all;
}

DeformWeightLayout layout_of(const CudaDeformProblem& problem) {
  return deform_weight_layout(problem.geometry, problem.in.type, problem.in.channels, problem.out.channels);
}

ConvChoice choose(const CudaDeformProblem& problem, const DeformWeightLayout& weights, const Chip& chip,
                  const ConvChoice* forced) {
  if (forced == nullptr) return candidates(problem, weights, chip).front().choice;
  const bool known = forced->kernel >= 0 && forced->kernel < static_cast<int>(deform_kernels().size());
  if (!known || !computes(kernel_of(*forced), problem, is_wide(problem.in, weights), chip))
    refuse("a kernel that computes " + shape_of(problem.in) + " on this chip",
           "kernel " + std::to_string(forced->kernel));
  return *forced;
}

/// The parameters of a kernel that loads its weights by TMA.
DeformTmaParams with_tensor_map(const CudaDeformPlan& plan, const DeformParams& params, CudaQueue& queue) {
  const ConvKernel& kernel = kernel_of(plan.choice);
  const auto depth = static_cast<std::uint64_t>(plan.weights.depth());
  TiledMap weights;
  weights.tensor = {.type = DataType::f16,
                    .address = params.conv.weights,
                    .rank = 2,
                    .extents = {depth, static_cast<std::uint64_t>(plan.weights.out_channels)},
                    .strides = {depth * 2},
                    .swizzle = Swizzle::bytes128};
  weights.box[0] = static_cast<std::uint32_t>(kernel.step);
  weights.box[1] = static_cast<std::uint32_t>(kernel.columns);
  return {queue.encode(weights), params};
}

}  // namespace

std::vector<ConvChoice> deform_choices(const CudaDeformProblem& problem, const Chip& chip) {
  check(problem);
  std::vector<ConvChoice> choices;
  for (const Candidate& c : candidates(problem, layout_of(problem), chip)) choices.push_back(c.choice);
  return choices;
}

CudaDeformPlan plan_deform_conv(const CudaDeformProblem& problem, const Chip& chip, const ConvChoice* forced) {
  check(problem);
  CudaDeformPlan plan;
  plan.problem = problem;
  plan.weights = layout_of(problem);
  plan.params = params_of(problem, plan.weights);
  plan.choice = choose(problem, plan.weights, chip, forced);

  const ConvKernel& kernel = kernel_of(plan.choice);
  const DeformGemm gemm = gemm_of(problem, plan.weights);
  ConvParams& p = plan.params.conv;
  p.steps = narrow(gemm.depth / kernel.step);
  plan.params.run_steps = narrow(plan.weights.run_depth / kernel.step);
  plan.params.last_run_steps = narrow(plan.weights.last_run_depth / kernel.step);
  p.splits = plan.choice.splits;
  if (p.splits < 1 || p.splits > p.steps)
    refuse("1 to " + std::to_string(p.steps) + " splits of the depth", std::to_string(p.splits));
  p.column_tiles = (p.group_out + kernel.columns - 1) / kernel.columns;
  const std::uint32_t row_tiles = static_cast<std::uint32_t>((p.pixels + kernel.rows - 1) / kernel.rows);
  plan.grid = {row_tiles * static_cast<std::uint32_t>(p.column_tiles),
               static_cast<std::uint32_t>(problem.geometry.conv.groups), static_cast<std::uint32_t>(p.splits)};
  if (adds_in_cluster(kernel, gemm, p.splits, chip)) {
    p.in_cluster = 1;
    plan.cluster = {1, 1, plan.grid.z};
  } else if (p.splits > 1) {
    plan.workspace_bytes = plan.grid.count() * static_cast<std::size_t>(kernel.rows * kernel.columns) * sizeof(float);
    plan.counter_bytes = static_cast<std::size_t>(plan.grid.x) * plan.grid.y * sizeof(unsigned);
  }
  plan.block = {static_cast<std::uint32_t>(kernel.threads)};
  plan.shared_bytes = kernel.shared_bytes;
  plan.kernel = kernel.name;
  plan.predicted_seconds = predicted_seconds(kernel, gemm, p.splits, chip);
  return plan;
}

void launch_deform_conv(const CudaDeformPlan& plan, const CudaDeformOperands& operands, CudaQueue& queue) {
  const CudaDeformProblem& problem = plan.problem;
  const auto need = [](bool needed, const void* address, const char* what, std::uintptr_t alignment) {
    if (!needed) return;
    if (address == nullptr) refuse(what, "none");
    if (misalignment(address) != alignment)
      refuse(std::string(what) + " " + std::to_string(alignment) + " bytes after a multiple of 16",
             std::to_string(misalignment(address)));
  };
  const bool split = plan.workspace_bytes != 0;
  need(true, operands.in, "an input", misalignment(problem.in.data));
  need(!problem.pooled, operands.offsets, "offsets", misalignment(problem.offsets.data));
  need(true, operands.weights, "weights", 0);
  need(true, operands.out, "an output", misalignment(problem.out.data));
  need(split, operands.workspace, "a workspace", 0);
  need(split, operands.counters, "counters", misalignment(operands.counters) & ~std::uintptr_t{3});
  need(operands.next_weight_bytes != 0, operands.next_weights, "the next weights", 0);
  if (problem.scale && operands.scale == nullptr) refuse("a scale", "none");
  if (problem.bias && operands.bias == nullptr) refuse("a bias", "none");

  DeformParams p = plan.params;
  p.conv.in = operands.in;
  p.offsets = problem.pooled ? nullptr : operands.offsets;
  p.conv.weights = operands.weights;
  p.conv.scale = problem.scale ? operands.scale : nullptr;
  p.conv.bias = problem.bias ? operands.bias : nullptr;
  p.conv.out = operands.out;
  p.conv.partials = static_cast<float*>(operands.workspace);
  p.conv.counters = static_cast<unsigned*>(operands.counters);
  p.conv.next_weights = operands.next_weights;
  p.conv.next_weight_bytes = static_cast<unsigned>(operands.next_weight_bytes);
  KernelLaunch launch;
  launch.kernel = plan.kernel;
  launch.grid = plan.grid;
  launch.block = plan.block;
  launch.cluster = plan.cluster;
  launch.shared_bytes = plan.shared_bytes;
  launch.overlaps_previous = true;
  if (kernel_of(plan.choice).uses_tma()) {
    const DeformTmaParams with_map = with_tensor_map(plan, p, queue);
    launch.parameters = bytes_of(with_map);
    queue.launch(launch);
  } else {
    launch.parameters = bytes_of(p);
    queue.launch(launch);
  }
}

}  // namespace maskrt::kernels
