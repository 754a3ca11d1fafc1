#include "group_norm_cuda.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <string>

#include "group_norm_params.h"
#include "kernels/cuda/kernel_family.h"
#include "kernels/cuda/map_of.h"

namespace maskrt::kernels {
namespace {

using enum DataType;
constexpr const char* kFile = "norm/group_norm";
constexpr cuda::KernelFamily kFamily{
    "group norm", "input, output", {{{f32, f32}, {kFile, "group_norm_f32"}}, {{f16, f16}, {kFile, "group_norm_f16"}}}};
constexpr std::int64_t kMostBlocks = 8;     ///< of a portable cluster
constexpr std::int64_t kFewPositions = 64;  ///< of a block, at least
constexpr std::int64_t kMostChannels = 8192;
constexpr std::int64_t kMostStaged = 1024;  ///< channels of a slab whose weights and biases are in shared memory

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// Channels of a slab: whole groups that begin at vectors of 16 bytes, and fill sectors where that takes few groups.
std::int64_t slab_channels(std::int64_t channels, std::int64_t group, std::int64_t each) {
  for (const std::int64_t whole : {2 * each, each}) {
    const std::int64_t slab = std::lcm(group, whole);
    if (slab == group || slab <= 16 * each) return std::min(slab, channels);
  }
  return channels;
}

/// Blocks that share a slab.
std::int64_t blocks_for(std::int64_t slabs, std::int64_t positions, const Chip& chip) {
  if (chip.path() != KernelPath::sm90a) return 1;
  const std::int64_t free = chip.multiprocessors / std::max<std::int64_t>(slabs, 1);
  const auto most = std::clamp<std::int64_t>(std::min(free, positions / kFewPositions), 1, kMostBlocks);
  return static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(most)));
}

}  // namespace

void group_norm_cuda(CudaQueue& queue, const Tensor& in, const float* weight, const float* bias, int groups,
                     double epsilon, Activation activation, const Tensor& out, float slope) {
  cuda::require_same_shape(in, "group norm: input", out, "output");
  if (groups < 1 || in.channels % groups != 0)
    throw Error("group norm: expected groups that divide " + std::to_string(in.channels) + " channels, found " +
                std::to_string(groups));
  if (out.batch > 65535)
    throw Error("group norm: expected a batch of at most 65535 images, found " + std::to_string(out.batch));
  cuda::GroupNormParams params = {};
  params.in = cuda::map_of(in, "group norm: input");
  params.out = cuda::map_of(out, "group norm: output");
  params.weight = weight;
  params.bias = bias;
  const std::int64_t group = in.channels / groups, positions = in.height * in.width,
                     each = 16 / static_cast<std::int64_t>(size_of(in.type)),
                     slab = slab_channels(in.channels, group, each), slabs = ceil_div(in.channels, slab);
  if (slabs > 65535 || slab > kMostChannels)
    throw Error("group norm: expected at most " + std::to_string(kMostChannels) +
                " channels, or that many in each of at most 65535 groups of whole vectors of 16 bytes, found " +
                std::to_string(in.channels) + " channels in groups of " + std::to_string(group));
  params.group_channels = static_cast<std::int32_t>(group);
  params.slab_channels = static_cast<std::int32_t>(slab);
  params.vectors = static_cast<std::int32_t>(ceil_div(slab, each));
  params.rows = std::max(cuda::kGroupNormThreads / params.vectors, 1);
  params.inverse_count = static_cast<float>(1 / (static_cast<double>(group) * static_cast<double>(positions)));
  params.epsilon = static_cast<float>(epsilon);
  params.slope = slope;
  params.activation = activation;
  params.parameters_staged = slab <= kMostStaged ? 1 : 0;

  const std::int64_t blocks = blocks_for(slabs * out.batch, positions, queue.chip());
  const int slab_groups = static_cast<int>(slab / group);
  const std::int64_t line = std::int64_t{params.vectors} * 16,
                     sums = params.rows * std::int64_t{params.vectors} * each * 4 +
                            2 * cuda::group_sum_floats(slab_groups) * 4 +
                            params.parameters_staged * 2 * std::int64_t{params.vectors} * each * 4;
  const std::int64_t room = std::max<std::int64_t>(std::int64_t{queue.chip().shared_per_block} - sums, 0);
  params.kept = static_cast<std::int32_t>(std::min(ceil_div(positions, blocks), room / line));

  KernelLaunch what;
  what.kernel = kFamily.of({in.type, out.type});
  what.block = {cuda::kGroupNormThreads, 1, 1};
  what.grid = {static_cast<std::uint32_t>(blocks), static_cast<std::uint32_t>(slabs),
               static_cast<std::uint32_t>(out.batch)};
  what.cluster = {static_cast<std::uint32_t>(blocks), 1, 1};
  what.shared_bytes = static_cast<std::uint32_t>(params.kept * line + sums);
  what.overlaps_previous = true;
  what.parameters = bytes_of(params);
  queue.launch(what);
}

}  // namespace maskrt::kernels
