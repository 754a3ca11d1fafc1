#include "average_pool_cuda.h"

#include <string>

#include "average_pool_params.h"
#include "kernels/cuda/map_of.h"

namespace maskrt::kernels {

void adaptive_average_pool_cuda(CudaQueue& queue, const Tensor& in, const Tensor& out) {
  cuda::require_same_type(in, "average pool: input", out, "output");
  if (in.batch != out.batch || in.channels != out.channels || out.batch > 65535)
    throw Error("average pool: expected an output of " + std::to_string(in.batch) + " images (65535 at most) and " +
                std::to_string(in.channels) + " channels, found " + std::to_string(out.batch) + " and " +
                std::to_string(out.channels));
  const cuda::AveragePoolParams params{cuda::map_of(in, "average pool: input"),
                                       cuda::map_of(out, "average pool: output")};
  KernelLaunch what;
  what.kernel = {"pool/average_pool", in.type == DataType::f32 ? "average_pool_f32" : "average_pool_f16"};
  what.grid = {static_cast<std::uint32_t>(out.height * out.width), static_cast<std::uint32_t>((out.block + 31) / 32),
               static_cast<std::uint32_t>(out.batch)};
  what.block = {256, 1, 1};
  what.overlaps_previous = true;
  what.parameters = bytes_of(params);
  queue.launch(what);
}

}  // namespace maskrt::kernels
