#include "average_pool_cuda.h"

#include <string>

#include "average_pool_params.h"
#include "kernels/cuda/kernel_family.h"
#include "kernels/cuda/map_of.h"

namespace maskrt::kernels {
namespace {

using enum DataType;
constexpr cuda::KernelFamily kAveragePool{
    "average pool",
    "input, output",
    {{{f32, f32}, {"pool/average_pool", "average_pool_f32"}}, {{f16, f16}, {"pool/average_pool", "average_pool_f16"}}}};

}  // namespace

void adaptive_average_pool_cuda(CudaQueue& queue, const Tensor& in, const Tensor& out) {
  if (in.batch != out.batch || in.channels != out.channels || out.batch > 65535)
    throw Error("average pool: expected an output of " + std::to_string(in.batch) + " images (65535 at most) and " +
                std::to_string(in.channels) + " channels, found " + std::to_string(out.batch) + " and " +
                std::to_string(out.channels));
  const cuda::AveragePoolParams params{cuda::map_of(in, "average pool: input"),
                                       cuda::map_of(out, "average pool: output")};
  KernelLaunch what;
  what.kernel = kAveragePool.of({in.type, out.type});
  what.grid = {static_cast<std::uint32_t>(out.height * out.width), static_cast<std::uint32_t>((out.block + 31) / 32),
               static_cast<std::uint32_t>(out.batch)};
  what.block = {256, 1, 1};
  what.overlaps_previous = true;
  what.parameters = bytes_of(params);
  queue.launch(what);
}

}  // namespace maskrt::kernels
