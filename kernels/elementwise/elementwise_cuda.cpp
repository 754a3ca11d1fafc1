#include "elementwise_cuda.h"

#include "elementwise_params.h"
#include "kernels/cuda/channel_grid.h"
#include "kernels/cuda/map_of.h"

namespace maskrt::kernels {
namespace {

template <typename Parameters>
void launch(CudaQueue& queue, const char* for_f32, const char* for_f16, const Tensor& out, const Parameters& params) {
  const cuda::ChannelGrid g = cuda::channel_grid(out.type, out.block, out.height * out.width, out.batch);
  KernelLaunch what;
  what.kernel = {"elementwise/elementwise", out.type == DataType::f32 ? for_f32 : for_f16};
  what.grid = g.grid;
  what.block = g.block;
  what.overlaps_previous = true;
  what.parameters = bytes_of(params);
  queue.launch(what);
}

void require_same(const Tensor& a, std::string_view what, const Tensor& out) {
  cuda::require_same_shape(a, what, out, "output");
  cuda::require_same_type(a, what, out, "output");
}

}  // namespace

void activate_cuda(CudaQueue& queue, Activation activation, const Tensor& in, const Tensor& out) {
  require_same(in, "activate: input", out);
  const cuda::ActivateParams params{cuda::map_of(in, "activate: input"), cuda::map_of(out, "activate: output"),
                                    static_cast<std::int32_t>(activation)};
  launch(queue, "activate_f32", "activate_f16", out, params);
}

void add_cuda(CudaQueue& queue, const Tensor& a, const Tensor& b, const Tensor& out) {
  require_same(a, "add: first input", out);
  require_same(b, "add: second input", out);
  const cuda::AddParams params{cuda::map_of(a, "add: first input"), cuda::map_of(b, "add: second input"),
                               cuda::map_of(out, "add: output")};
  launch(queue, "add_f32", "add_f16", out, params);
}

void scale_shift_cuda(CudaQueue& queue, const Tensor& in, const float* scale, const float* shift, const Tensor& out) {
  require_same(in, "scale and shift: input", out);
  const cuda::ScaleShiftParams params{cuda::map_of(in, "scale and shift: input"),
                                      cuda::map_of(out, "scale and shift: output"), scale, shift};
  launch(queue, "scale_shift_f32", "scale_shift_f16", out, params);
}

}  // namespace maskrt::kernels
