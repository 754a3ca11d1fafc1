#include "elementwise_cuda.h"

#include "elementwise_params.h"
#include "kernels/cuda/channel_grid.h"
#include "kernels/cuda/kernel_family.h"
#include "kernels/cuda/map_of.h"

namespace maskrt::kernels {
namespace {

using enum DataType;
constexpr const char* kFile = "elementwise/elementwise";
constexpr cuda::KernelFamily kActivate{
    "activate", "input, output", {{{f32, f32}, {kFile, "activate_f32"}}, {{f16, f16}, {kFile, "activate_f16"}}}};
constexpr cuda::KernelFamily kAdd{
    "add", "inputs, output", {{{f32, f32, f32}, {kFile, "add_f32"}}, {{f16, f16, f16}, {kFile, "add_f16"}}}};
constexpr cuda::KernelFamily kScaleShift{"scale and shift",
                                         "input, output",
                                         {{{f32, f32}, {kFile, "scale_shift_f32"}},
                                          {{f16, f16}, {kFile, "scale_shift_f16"}},
                                          {{f16, f32}, {kFile, "scale_shift_f16_f32"}}}};

template <typename Parameters>
void launch(CudaQueue& queue, const KernelName& kernel, const Tensor& out, const Parameters& params) {
  const cuda::ChannelGrid g = cuda::channel_grid(out.type, out.block, out.height * out.width, out.batch);
  KernelLaunch what;
  what.kernel = kernel;
  what.grid = g.grid;
  what.block = g.block;
  what.overlaps_previous = true;
  what.parameters = bytes_of(params);
  queue.launch(what);
}

}  // namespace

void activate_cuda(CudaQueue& queue, Activation activation, const Tensor& in, const Tensor& out, float slope) {
  cuda::require_same_shape(in, "activate: input", out, "output");
  const cuda::ActivateParams params{cuda::map_of(in, "activate: input"), cuda::map_of(out, "activate: output"),
                                    static_cast<std::int32_t>(activation), slope};
  launch(queue, kActivate.of({in.type, out.type}), out, params);
}

void add_cuda(CudaQueue& queue, const Tensor& a, const Tensor& b, const Tensor& out) {
  cuda::require_same_shape(a, "add: first input", out, "output");
  cuda::require_same_shape(b, "add: second input", out, "output");
  const cuda::AddParams params{cuda::map_of(a, "add: first input"), cuda::map_of(b, "add: second input"),
                               cuda::map_of(out, "add: output")};
  launch(queue, kAdd.of({a.type, b.type, out.type}), out, params);
}

void scale_shift_cuda(CudaQueue& queue, const Tensor& in, const float* scale, const float* shift, const Tensor& out) {
  cuda::require_same_shape(in, "scale and shift: input", out, "output");
  const cuda::ScaleShiftParams params{cuda::map_of(in, "scale and shift: input"),
                                      cuda::map_of(out, "scale and shift: output"), scale, shift};
  launch(queue, kScaleShift.of({in.type, out.type}), out, params);
}

}  // namespace maskrt::kernels
