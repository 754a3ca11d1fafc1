#include "ppm_cuda.h"

#include <algorithm>
#include <string>

#include "kernels/cuda/kernel_family.h"
#include "kernels/cuda/map_of.h"
#include "ppm_params.h"

namespace maskrt::kernels {
namespace {

using enum DataType;
constexpr cuda::KernelFamily kPyramidPool{
    "pyramid pool",
    "input, output",
    {{{f32, f32}, {"ppm/ppm", "pyramid_pool_f32"}}, {{f16, f16}, {"ppm/ppm", "pyramid_pool_f16"}}}};

}  // namespace

void pyramid_pool_cuda(CudaQueue& queue, const Tensor& in, std::span<const PyramidBranch> branches) {
  if (branches.empty() || branches.size() > cuda::PyramidParams::kMostBranches || in.batch > 65535)
    throw Error("pyramid pool: expected 1 to " + std::to_string(cuda::PyramidParams::kMostBranches) +
                " branches and at most 65535 images, found " + std::to_string(branches.size()) + " and " +
                std::to_string(in.batch));
  KernelLaunch what;
  cuda::PyramidParams params{};
  params.in = cuda::map_of(in, "pyramid pool: input");
  params.in_stride = static_cast<std::int32_t>(pyramid_weight_stride(in.channels));
  std::int64_t cells = 0, shared_bytes = 0;
  for (std::size_t i = 0; i < branches.size(); ++i) {
    const PyramidBranch& branch = branches[i];
    what.kernel = kPyramidPool.of({in.type, branch.out.type});
    cuda::require_short(branch.activation, "pyramid pool");
    if (branch.out.batch != in.batch || branch.hidden < 1)
      throw Error("pyramid pool: expected outputs of " + std::to_string(in.batch) +
                  " images and hidden channels, found " + std::to_string(branch.out.batch) + " and " +
                  std::to_string(branch.hidden));
    cells += branch.out.height * branch.out.width;
    params.branches[i] = {cuda::map_of(branch.out, "pyramid pool: output"),
                          branch.stage_weight,
                          branch.stage_bias,
                          branch.bottleneck_weight,
                          branch.bottleneck_bias,
                          static_cast<std::int32_t>(branch.activation),
                          static_cast<std::int32_t>(branch.hidden),
                          static_cast<std::int32_t>(pyramid_weight_stride(branch.hidden)),
                          static_cast<std::int32_t>(cells)};
    shared_bytes =
        std::max(shared_bytes, cuda::PyramidBlock::shared_bytes(in.channels, branch.hidden, branch.out.block));
  }
  if (shared_bytes > queue.chip().shared_per_block)
    throw Error("pyramid pool: expected vectors that fit the " + std::to_string(queue.chip().shared_per_block) +
                " bytes of a block's shared memory, found " + std::to_string(shared_bytes) + " bytes");
  what.grid = {static_cast<std::uint32_t>(cells), static_cast<std::uint32_t>(in.batch), 1};
  what.block = {cuda::PyramidBlock::kThreads, 1, 1};
  what.shared_bytes = static_cast<std::uint32_t>(shared_bytes);
  what.overlaps_previous = true;
  what.parameters = bytes_of(params);
  queue.launch(what);
}

}  // namespace maskrt::kernels
