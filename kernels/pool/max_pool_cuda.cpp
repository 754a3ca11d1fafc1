#include "../cuda/launch.h"
#include "../cuda/nhwc.h"
#include "max_pool_params.h"
#include "pool.h"

namespace maskrt::kernels {

void max_pool_cuda(CudaQueue& queue, const PoolGeometry& geometry, const Tensor& in, const Tensor& out) {
  require_nhwc(in, "max pool's input");
  require_nhwc(out, "max pool's output");
  if (in.type != out.type || (in.type != DataType::f32 && in.type != DataType::f16))
    throw Error("max pool: expected fp32 or fp16 in and out, found " + describe(in) + " and " + describe(out));
  if (in.batch != out.batch || in.channels != out.channels)
    throw Error("max pool: expected as many images and channels out as in, found " + describe(in) + " and " +
                describe(out));
  if (out.height > 65535 || out.batch > 65535)
    throw Error("max pool: expected at most 65535 rows and images, found " + describe(out));

  const bool vectors = in_vectors_of_16_bytes(in) && in_vectors_of_16_bytes(out), half = in.type == DataType::f16;
  MaxPoolParams p{};
  p.in = in.data;
  p.out = out.data;
  p.height = static_cast<int>(in.height);
  p.width = static_cast<int>(in.width);
  p.out_width = static_cast<int>(out.width);
  p.vectors = static_cast<int>(vectors ? in.channels * static_cast<std::int64_t>(size_of(in.type)) / 16 : in.channels);
  p.kernel = geometry.kernel;
  p.stride = geometry.stride;
  p.padding = geometry.padding;
  p.in_batch_stride = in.batch_stride;
  p.out_batch_stride = out.batch_stride;
  p.in_pixel_stride = static_cast<int>(in.pixel_stride);
  p.out_pixel_stride = static_cast<int>(out.pixel_stride);

  constexpr std::uint32_t threads = 256;
  const auto in_row = static_cast<std::uint64_t>(out.width) * static_cast<std::uint64_t>(p.vectors);
  const char* entry =
      half ? (vectors ? "max_pool_f16x8" : "max_pool_f16") : (vectors ? "max_pool_f32x4" : "max_pool_f32");
  queue.launch({.kernel = {"pool/max_pool", entry},
                .grid = {static_cast<std::uint32_t>((in_row + threads - 1) / threads),
                         static_cast<std::uint32_t>(out.height), static_cast<std::uint32_t>(out.batch)},
                .block = {threads},
                .parameters = bytes_of(p)});
}

}  // namespace maskrt::kernels
