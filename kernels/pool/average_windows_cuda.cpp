#include "average_windows_cuda.h"

#include <string>

#include "average_windows_params.h"
#include "kernels/cuda/channel_grid.h"
#include "kernels/cuda/kernel_family.h"
#include "kernels/cuda/map_of.h"

namespace maskrt::kernels {
namespace {

using enum DataType;
constexpr cuda::KernelFamily kAverageWindows{"average pool of windows",
                                             "input, output",
                                             {{{f32, f32}, {"pool/average_windows", "average_windows_f32"}},
                                              {{f16, f16}, {"pool/average_windows", "average_windows_f16"}}}};

}  // namespace

void average_pool_cuda(CudaQueue& queue, const AveragePoolGeometry& geometry, const Tensor& in, const Tensor& out) {
  const KernelName kernel = kAverageWindows.of({in.type, out.type});
  if (geometry.stride < 1 || geometry.stride > geometry.kernel)
    throw Error("average pool of windows: expected a stride from 1 to the window's " + std::to_string(geometry.kernel) +
                ", found " + std::to_string(geometry.stride));
  const Shape want{in.batch, average_pool_output_size(in.height, geometry),
                   average_pool_output_size(in.width, geometry), in.channels},
      found{out.batch, out.height, out.width, out.channels};
  if (want != found)
    throw Error("average pool of windows: expected an output of " + to_string(want) + ", found " + to_string(found));

  const cuda::AverageWindowsParams params{cuda::map_of(in, "average pool of windows: input"),
                                          cuda::map_of(out, "average pool of windows: output"), geometry.kernel,
                                          geometry.stride};
  const cuda::ChannelGrid g = cuda::channel_grid(out.type, out.block, out.height * out.width, out.batch);
  queue.launch(
      {.kernel = kernel, .grid = g.grid, .block = g.block, .overlaps_previous = true, .parameters = bytes_of(params)});
}

}  // namespace maskrt::kernels
