#include "conv_cuda.h"

#include <algorithm>
#include <string>

#include "conv_cost.h"
#include "conv_kernels.h"
#include "conv_tensor_maps.h"
#include "conv_tensors.h"
#include "conv_tiles.h"

namespace maskrt::kernels {
namespace {

[[noreturn]] void refuse(const std::string& expected, const std::string& found) {
  throw Error("convolution on the GPU: expected " + expected + ", found " + found);
}

std::string shape_of(const Tensor& t) {
  return std::string(name_of(t.type)) + " " + to_string(Shape{t.batch, t.height, t.width, t.channels});
}

void check_shape(const Tensor& t, const char* what, const Shape& want) {
  if (Shape{t.batch, t.height, t.width, t.channels} != want)
    refuse(std::string(what) + " of " + to_string(want), shape_of(t));
}

/// Throws Error where no kernel reads inputs of that type.
void check_type(DataType in) {
  std::string known;
  for (const ConvKernel& kernel : conv_kernels()) {
    if (kernel.type == in) return;
    const std::string name(name_of(kernel.type));
    if (known.find(name) == std::string::npos) known += (known.empty() ? "" : " or ") + name;
  }
  refuse("an input in " + known, std::string(name_of(in)));
}

void check(const CudaConvProblem& problem) {
  const ConvGeometry& g = problem.geometry;
  const Tensor &in = problem.in, &out = problem.out, &residual = problem.residual;
  check_type(in.type);
  if (problem.activation == Activation::gelu) refuse("another activation", "GELU");
  check_conv_tensor(in, "a convolution's input");
  check_conv_tensor(out, "a convolution's output");
  if (g.kernel_height > 15 || g.kernel_width > 15)
    refuse("a kernel of at most 15 x 15", std::to_string(g.kernel_height) + " x " + std::to_string(g.kernel_width));
  if (g.groups < 1 || in.channels % g.groups != 0 || out.channels % g.groups != 0)
    refuse("groups that divide the channels",
           std::to_string(g.groups) + " groups for " + shape_of(in) + " and " + shape_of(out));
  check_shape(out, "an output",
              {in.batch, conv_output_size(in.height, g.kernel_height, g), conv_output_size(in.width, g.kernel_width, g),
               out.channels});
  if (out.type != in.type && out.type != DataType::f32)
    refuse("an output of the input's type or fp32",
           std::string(name_of(out.type)) + " from " + std::string(name_of(in.type)));
  if (problem.out_group_stride != 0) {
    const std::int64_t group_out = out.channels / g.groups, stride = problem.out_group_stride;
    const std::int64_t most = (group_out + 15) / 16 * 16;  // every tile's columns are a multiple of 16
    if (!groups_may_lie_apart(problem))
      refuse("groups apart where each is computed alone and nothing is added", std::to_string(g.groups) + " groups");
    if (stride < group_out || stride > most || out.block != g.groups * stride)
      refuse("groups " + std::to_string(group_out) + " to " + std::to_string(most) + " channels apart",
             std::to_string(stride) + " in blocks of " + std::to_string(out.block));
  } else if (out.block > (out.channels + 7) / 8 * 8) {
    refuse("at most 7 channels of padding in the output", std::to_string(out.block - out.channels));
  }
  if (problem.residual_kind == ConvResidual::none) return;
  check_conv_tensor(residual, "a convolution's residual");
  if (residual.type != out.type)
    refuse("a residual of the output's type",
           std::string(name_of(residual.type)) + " for " + std::string(name_of(out.type)));
  if (problem.residual_kind == ConvResidual::same) {
    check_shape(residual, "a residual", {out.batch, out.height, out.width, out.channels});
  } else {
    if (out.height % 2 != 0 || out.width % 2 != 0) refuse("an even output under an upsampled residual", shape_of(out));
    check_shape(residual, "a residual", {out.batch, out.height / 2, out.width / 2, out.channels});
  }
}

/// Whether the kernels may load the input in chunks of 16 bytes: they are aligned, and each chunk holds only channels
/// of one (merged) group or zero padding.
bool is_wide(const Tensor& in, const ConvWeightLayout& weights) {
  if (weights.pixel_pairs) return true;
  const auto piece = static_cast<std::int64_t>(16 / size_of(in.type));
  const bool whole = weights.group_in * weights.merged % piece == 0 ||
                     (weights.device_groups() == 1 && in.block >= weights.tap_channels);
  return whole && misalignment(in.data) == 0 && in.pixel_stride % piece == 0 && in.batch_stride % piece == 0;
}

/// Whether PixelStore (pixel_store.cuh) stores the results: fp16 in whole vectors of pixels that lie one after the
/// other, across images too, with a residual of the same kind.
bool stores_plainly(const CudaConvProblem& problem, const ConvParams& p) {
  const auto follow = [](const Tensor& t) { return t.batch_stride == t.height * t.width * t.pixel_stride; };
  const bool residual = problem.residual_kind != ConvResidual::none;
  const bool simple = p.activation == Activation::none || p.activation == Activation::relu ||
                      (p.activation == Activation::leaky_relu && !residual);
  const bool one_group = p.group_out == p.out_channels;
  return p.out_f32 == 0 && p.out_vector == 8 && simple && !problem.coordinates && follow(problem.out) &&
         p.group_stored % 8 == 0 && (one_group || p.out_group_stride % 8 == 0) &&
         (!residual || (p.residual_vector == 8 && p.group_out % 8 == 0 && follow(problem.residual)));
}

ConvParams params_of(const CudaConvProblem& problem, const ConvWeightLayout& weights) {
  const ConvGeometry& g = problem.geometry;
  const Tensor &in = problem.in, &out = problem.out;
  const auto narrow = [](std::int64_t n) { return static_cast<int>(n); };
  ConvParams p = {};
  p.pixels = narrow(out.batch * out.height * out.width);
  p.image = cuda::divide_by(out.height * out.width);
  p.row = cuda::divide_by(out.width);
  p.out_height = narrow(out.height);
  p.height = narrow(in.height);
  p.width = narrow(in.width);
  p.kernel_height = g.kernel_height;
  p.kernel_width = weights.device_kernel_width();
  p.stride_y = p.stride_x = g.stride;
  p.padding_y = p.padding_x = g.padding;
  p.dilation = g.dilation;
  p.group_in = narrow(weights.group_in * weights.merged);
  p.tap_channels = narrow(weights.tap_channels);
  p.depth = narrow(weights.depth);
  p.group_out = narrow(out.channels / weights.device_groups());
  p.in_batch_stride = narrow(in.batch_stride);
  p.in_pixel_stride = narrow(in.pixel_stride);
  p.in_wide = is_wide(in, weights) ? 1 : 0;
  if (weights.pixel_pairs) {
    p.width /= 2;
    p.stride_x /= 2;
    p.padding_x = (g.padding + weights.pair_shift) / 2;
    p.group_in = 8;
    p.in_pixel_stride = 8;
  }
  p.out_channels = narrow(out.channels);
  const bool apart = problem.out_group_stride != 0;
  p.out_group_stride = apart ? narrow(problem.out_group_stride) : p.group_out;
  p.group_stored = apart ? p.out_group_stride : p.group_out + narrow(out.block - out.channels);
  p.out_batch_stride = narrow(out.batch_stride);
  p.out_pixel_stride = narrow(out.pixel_stride);
  p.out_vector = epilogue_vector(out, p.out_group_stride, weights.device_groups());
  p.out_f32 = out.type == DataType::f32 ? 1 : 0;
  if (problem.residual_kind != ConvResidual::none) {
    p.residual_batch_stride = narrow(problem.residual.batch_stride);
    p.residual_pixel_stride = narrow(problem.residual.pixel_stride);
    p.residual_shift = problem.residual_kind == ConvResidual::upsampled ? 1 : 0;
    p.residual_vector = epilogue_vector(problem.residual, p.group_out, weights.device_groups());
  }
  p.activation = problem.activation;
  p.slope = problem.slope;
  p.norm_epsilon = problem.norm_epsilon;
  p.plain = stores_plainly(problem, p) ? 1 : 0;
  return p;
}

ConvGemm gemm_of(const CudaConvProblem& problem, const ConvWeightLayout& weights) {
  const auto size = [](const Tensor& t) {
    return t.batch * t.height * t.width * t.channels * static_cast<std::int64_t>(size_of(t.type));
  };
  ConvGemm gemm;
  gemm.pixels = problem.out.batch * problem.out.height * problem.out.width;
  gemm.images = problem.out.batch;
  gemm.height = problem.out.height;
  gemm.width = problem.out.width;
  gemm.groups = weights.device_groups();
  gemm.columns = problem.out.channels / gemm.groups;
  gemm.taps = weights.kernel_height * weights.device_kernel_width();
  gemm.kernel_height = weights.kernel_height;
  gemm.tap_channels = weights.tap_channels;
  Tensor out = problem.out;
  if (problem.out_group_stride != 0) out.channels = out.block;
  gemm.out_bytes = size(out) + (problem.residual_kind == ConvResidual::none ? 0 : size(problem.residual));
  gemm.bytes = size(problem.in) + gemm.out_bytes + static_cast<std::int64_t>(weights.bytes());
  return gemm;
}

/// Whether a kernel that reads patches computes it: of a map several taps, at most 3 x 3, and neighbouring windows for
/// neighbouring pixels; of pairs of pixels a kernel that is two pairs wide, and windows that begin a pair apart. Their
/// fp32 results leave in the order of fp32 convolutions, in which the table of coordinates of fp16 inputs is not.
bool suits_patches(const ConvKernel& kernel, const CudaConvProblem& problem, const ConvWeightLayout& weights) {
  const ConvGeometry& g = problem.geometry;
  if (problem.coordinates && problem.out.type == DataType::f32) return false;
  if (kernel.reads_pairs)
    return weights.pixel_pairs && weights.device_kernel_width() == 2 && g.kernel_height <= PairTile::kMostLines &&
           g.stride == PairTile::kStride;
  constexpr int most = PatchTile::kMostTaps;
  return g.stride == 1 && g.dilation == 1 && g.kernel_height <= most && g.kernel_width <= most &&
         g.kernel_height * g.kernel_width > 1;
}

/// Whether a kernel that norms does so: a tile has all channels of its pixels, in vectors of 16 bytes.
bool suits_norm(const ConvKernel& kernel, const CudaConvProblem& problem, const ConvWeightLayout& weights,
                const ConvParams& params) {
  return weights.device_groups() == 1 && params.group_out == kernel.columns && params.out_f32 == 0 &&
         params.out_vector == 8 && problem.activation == Activation::none && !problem.coordinates &&
         (problem.residual_kind == ConvResidual::none ||
          (problem.residual_kind == ConvResidual::same && params.residual_vector == 8));
}

bool computes(const ConvKernel& kernel, const CudaConvProblem& problem, const ConvWeightLayout& weights,
              const ConvParams& params, const Chip& chip) {
  const bool runs = chip.path() >= kernel.oldest && chip.path() <= kernel.newest &&
                    (!kernel.uses_tma() || suits_tma(problem, weights)) &&
                    (!kernel.reads_patch() || suits_patches(kernel, problem, weights));
  if (kernel.norms != problem.norm || (problem.norm && !suits_norm(kernel, problem, weights, params))) return false;
  return runs && kernel.type == problem.in.type && (!kernel.tf32 || problem.tf32) &&
         (params.in_wide != 0 || !kernel.tensor_cores) && resident_blocks(kernel, chip) > 0;
}

const ConvKernel& kernel_of(const ConvChoice& choice) {
  return conv_kernels()[static_cast<std::size_t>(choice.kernel)];
}

struct Candidate {
  ConvChoice choice;
  double seconds;
};

/// All choices that can compute the problem, by ascending predicted time; ties in the order of conv_kernels().
std::vector<Candidate> candidates(const CudaConvProblem& problem, const ConvWeightLayout& weights,
                                  const ConvParams& params, const Chip& chip) {
  const ConvGemm gemm = gemm_of(problem, weights);
  std::vector<Candidate> all;
  for (std::size_t k = 0; k < conv_kernels().size(); ++k) {
    const ConvKernel& kernel = conv_kernels()[k];
    if (!computes(kernel, problem, weights, params, chip)) continue;
    for_each_split(kernel, gemm, chip, [&](int splits) {
      all.push_back({{static_cast<int>(k), splits}, predicted_seconds(kernel, gemm, splits, chip)});
    });
  }
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.seconds < b.seconds; });
  return all;
}

}  // namespace

bool groups_may_lie_apart(const CudaConvProblem& problem) {
  const int groups = problem.geometry.groups;
  return groups > 1 && problem.residual_kind == ConvResidual::none && !problem.coordinates &&
         conv_weight_layout(problem.geometry, problem.in, problem.out.channels).merged == 1;
}

bool may_norm(const CudaConvProblem& problem, const Chip& chip) {
  CudaConvProblem normed = problem;
  normed.norm = true;
  return !conv_choices(normed, chip).empty();
}

std::vector<ConvChoice> conv_choices(const CudaConvProblem& problem, const Chip& chip) {
  check(problem);
  const ConvWeightLayout weights = conv_weight_layout(problem.geometry, problem.in, problem.out.channels);
  std::vector<ConvChoice> choices;
  for (const Candidate& c : candidates(problem, weights, params_of(problem, weights), chip))
    choices.push_back(c.choice);
  return choices;
}

CudaConvPlan plan_conv(const CudaConvProblem& problem, const Chip& chip, const ConvChoice* forced) {
  check(problem);
  CudaConvPlan plan;
  plan.problem = problem;
  plan.weights = conv_weight_layout(problem.geometry, problem.in, problem.out.channels);
  plan.params = params_of(problem, plan.weights);
  const ConvGemm gemm = gemm_of(problem, plan.weights);
  if (forced != nullptr) {
    const bool known = forced->kernel >= 0 && forced->kernel < static_cast<int>(conv_kernels().size());
    if (!known || !computes(kernel_of(*forced), problem, plan.weights, plan.params, chip))
      refuse("a kernel that computes " + shape_of(problem.in) + " on this chip",
             "kernel " + std::to_string(forced->kernel));
    plan.choice = *forced;
  } else {
    const std::vector<Candidate> all = candidates(problem, plan.weights, plan.params, chip);
    if (all.empty()) refuse("a problem that may_norm() takes", "a norm behind " + shape_of(problem.out));
    plan.choice = all.front().choice;
  }

  const ConvKernel& kernel = kernel_of(plan.choice);
  ConvParams& p = plan.params;
  p.steps = static_cast<int>(steps_of(kernel, gemm));
  p.splits = plan.choice.splits;
  if (p.splits < 1 || p.splits > p.steps)
    refuse("1 to " + std::to_string(p.steps) + " splits of the depth", std::to_string(p.splits));
  p.column_tiles = (p.group_out + kernel.columns - 1) / kernel.columns;
  const auto cluster = static_cast<std::uint32_t>(kernel.cluster());
  const auto tiles = (static_cast<std::uint32_t>(row_tiles(kernel, gemm)) + cluster - 1) / cluster * cluster;
  plan.grid = {tiles * static_cast<std::uint32_t>(p.column_tiles),
               static_cast<std::uint32_t>(plan.weights.device_groups()), static_cast<std::uint32_t>(p.splits)};
  plan.cluster_splits = splits_in_cluster(kernel, gemm, plan.choice.splits, chip);
  if (plan.cluster_splits > 1 && kernel.uses_tma()) plan.grid.z = static_cast<std::uint32_t>(p.splits = 1);
  if (plan.cluster_splits > 1 && !kernel.uses_tma()) {
    p.in_cluster = 1;
    plan.cluster = {1, 1, plan.grid.z};
  }
  if (plan.grid.y > 65535) refuse("at most 65535 groups", std::to_string(plan.grid.y));
  if (p.splits > 1 && p.in_cluster == 0) {
    plan.workspace_bytes = plan.grid.count() * static_cast<std::size_t>(kernel.rows * kernel.columns) * sizeof(float);
    plan.counter_bytes = static_cast<std::size_t>(plan.grid.x) * plan.grid.y * sizeof(unsigned);
  }
  if (kernel.uses_tma()) {
    const auto most = static_cast<std::uint32_t>(chip.multiprocessors) / cluster;
    plan.work_items = static_cast<int>(plan.grid.count() / cluster);
    plan.cluster = {cluster * static_cast<std::uint32_t>(plan.cluster_splits)};
    const auto clusters = static_cast<std::uint32_t>(plan.work_items);
    plan.grid = {(plan.cluster_splits > 1 ? clusters : std::min(clusters, most)) * plan.cluster.x};
  }
  plan.block = {static_cast<std::uint32_t>(kernel.threads)};
  plan.shared_bytes = kernel.shared_bytes;
  plan.kernel = kernel.name;
  plan.predicted_seconds = predicted_seconds(kernel, gemm, plan.choice.splits, chip);
  return plan;
}

void launch_conv(const CudaConvPlan& plan, const CudaConvOperands& operands, CudaQueue& queue) {
  const CudaConvProblem& problem = plan.problem;
  const auto need = [](bool needed, const void* address, const char* what, std::uintptr_t alignment) {
    if (!needed) return;
    if (address == nullptr) refuse(what, "none");
    if (misalignment(address) != alignment)
      refuse(std::string(what) + " " + std::to_string(alignment) + " bytes after a multiple of 16",
             std::to_string(misalignment(address)));
  };
  const bool residual = problem.residual_kind != ConvResidual::none, split = plan.workspace_bytes != 0;
  need(true, operands.in, "an input", misalignment(problem.in.data));
  need(true, operands.weights, "weights", 0);
  need(true, operands.out, "an output", misalignment(problem.out.data));
  need(residual, operands.residual, "a residual", misalignment(problem.residual.data));
  need(problem.coordinates, operands.coordinate_table, "a coordinate table", 0);
  need(split, operands.workspace, "a workspace", 0);
  need(operands.next_weight_bytes != 0, operands.next_weights, "the next weights", 0);
  need(split, operands.counters, "counters", misalignment(operands.counters) & ~std::uintptr_t{3});
  if (problem.scale && operands.scale == nullptr) refuse("a scale", "none");
  if (problem.bias && operands.bias == nullptr) refuse("a bias", "none");
  need(problem.norm, operands.norm_weight, "a norm's weight", 0);
  need(problem.norm, operands.norm_bias, "a norm's bias", 0);

  ConvParams p = plan.params;
  p.in = operands.in;
  p.weights = operands.weights;
  p.scale = problem.scale ? operands.scale : nullptr;
  p.bias = problem.bias ? operands.bias : nullptr;
  p.residual = residual ? operands.residual : nullptr;
  p.coordinates = problem.coordinates ? static_cast<const int*>(operands.coordinate_table) : nullptr;
  p.norm_weight = operands.norm_weight;
  p.norm_bias = operands.norm_bias;
  p.out = operands.out;
  p.partials = static_cast<float*>(operands.workspace);
  p.counters = static_cast<unsigned*>(operands.counters);
  p.next_weights = operands.next_weights;
  p.next_weight_bytes = static_cast<unsigned>(operands.next_weight_bytes);
  KernelLaunch launch;
  launch.kernel = plan.kernel;
  launch.grid = plan.grid;
  launch.block = plan.block;
  launch.cluster = plan.cluster;
  launch.shared_bytes = plan.shared_bytes;
  launch.overlaps_previous = kernel_of(plan.choice).tensor_cores;
  if (kernel_of(plan.choice).uses_tma()) {
    const ConvTmaParams with_maps = with_tensor_maps(plan, p, queue);
    launch.parameters = bytes_of(with_maps);
    queue.launch(launch);
  } else {
    launch.parameters = bytes_of(p);
    queue.launch(launch);
  }
}

}  // namespace maskrt::kernels
