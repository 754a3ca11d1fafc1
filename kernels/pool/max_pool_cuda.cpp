#include "max_pool_cuda.h"

#include <string>

#include "kernels/cuda/channel_grid.h"
#include "kernels/cuda/kernel_family.h"
#include "kernels/cuda/map_of.h"
#include "max_pool_params.h"

namespace maskrt::kernels {
namespace {

using enum DataType;
constexpr cuda::KernelFamily kMaxPool{
    "max pool",
    "input, output",
    {{{f32, f32}, {"pool/max_pool", "max_pool_f32"}}, {{f16, f16}, {"pool/max_pool", "max_pool_f16"}}}};

}  // namespace

void max_pool_cuda(CudaQueue& queue, const PoolGeometry& geometry, const Tensor& in, const Tensor& out) {
  const KernelName kernel = kMaxPool.of({in.type, out.type});
  const auto extent = [&](std::int64_t n) {
    return (n + 2 * geometry.padding - geometry.kernel) / geometry.stride + 1;
  };
  const Shape want{in.batch, extent(in.height), extent(in.width), in.channels},
      found{out.batch, out.height, out.width, out.channels};
  if (want != found) throw Error("max pool: expected an output of " + to_string(want) + ", found " + to_string(found));

  const cuda::MaxPoolParams params{cuda::map_of(in, "max pool: input"), cuda::map_of(out, "max pool: output"),
                                   geometry.kernel, geometry.stride, geometry.padding};
  const cuda::ChannelGrid g = cuda::channel_grid(out.type, out.block, out.height * out.width, out.batch);
  queue.launch(
      {.kernel = kernel, .grid = g.grid, .block = g.block, .overlaps_previous = true, .parameters = bytes_of(params)});
}

}  // namespace maskrt::kernels
