#include <algorithm>
#include <vector>

#include "kernels/cpu/lines.h"
#include "kernels/cpu/onednn.h"
#include "pool.h"

namespace maskrt::kernels {

struct Pool::Primitive {
  Primitive(dnnl::algorithm algorithm, const PoolGeometry& geometry, const Tensor& in, const Tensor& out);
  dnnl::memory::desc in, out;
  dnnl::pooling_forward pool;
  std::int64_t calls = 1;  // one for each image where the images of a batch do not lie densely
};

Pool::Primitive::Primitive(dnnl::algorithm algorithm, const PoolGeometry& g, const Tensor& in_tensor,
                           const Tensor& out_tensor) {
  // The maximum of zeros is 0, since no window lies wholly outside of the map.
  Tensor from = padded(in_tensor), to = padded(out_tensor);
  if (!onednn::dense_batch(from) || !onednn::dense_batch(to)) {
    calls = from.batch;
    from.batch = to.batch = 1;
  }
  in = onednn::layout_of(from);
  out = onednn::layout_of(to);
  const auto far = [&](std::int64_t size, std::int64_t out_size) {
    return (out_size - 1) * g.stride + g.kernel - size - g.padding;
  };
  pool = onednn::translated("pool", [&] {
    const dnnl::pooling_forward::desc desc(dnnl::prop_kind::forward_inference, algorithm, in, out, {g.stride, g.stride},
                                           {g.kernel, g.kernel}, {g.padding, g.padding},
                                           {far(from.height, to.height), far(from.width, to.width)});
    return dnnl::pooling_forward(dnnl::pooling_forward::primitive_desc(desc, onednn::engine()));
  });
}

Pool::Pool(const PoolGeometry& geometry, const Tensor& in, const Tensor& out)
    : primitive_(std::make_shared<const Primitive>(dnnl::algorithm::pooling_max, geometry, in, out)) {}

Pool::Pool(const AveragePoolGeometry& g, const Tensor& in, const Tensor& out)
    : primitive_(std::make_shared<const Primitive>(dnnl::algorithm::pooling_avg_exclude_padding,
                                                   PoolGeometry{g.kernel, g.stride, 0}, in, out)) {}

void Pool::run(const Tensor& in, const Tensor& out) const {
  for (std::int64_t b = 0; b < primitive_->calls; ++b)
    primitive_->pool.execute(onednn::stream(), {{DNNL_ARG_SRC, onednn::wrap(primitive_->in, image_of(in, b).data)},
                                                {DNNL_ARG_DST, onednn::wrap(primitive_->out, image_of(out, b).data)}});
}

void adaptive_average_pool_cpu(const Tensor& in, const Tensor& out) {
  if (!same_lines(in, out)) {
    adaptive_average_pool_ref(in, out);
    return;
  }
  for_each_line(out, [&](std::int64_t b, std::int64_t k, std::int64_t y) {
    const std::int64_t block = in.block, top = y * in.height / out.height,
                       bottom = ((y + 1) * in.height + out.height - 1) / out.height;
    std::vector<float> sums(static_cast<std::size_t>(block));
    float* to = line<float>(out, b, k, y);
    for (std::int64_t x = 0; x < out.width; ++x) {
      const std::int64_t left = x * in.width / out.width, right = ((x + 1) * in.width + out.width - 1) / out.width;
      std::fill(sums.begin(), sums.end(), 0.0f);
      for (std::int64_t i = top; i < bottom; ++i) {
        const float* from = line<float>(in, b, k, i);
        for (std::int64_t j = left; j < right; ++j)
          for (std::int64_t c = 0; c < block; ++c) sums[static_cast<std::size_t>(c)] += from[j * block + c];
      }
      const float scale = 1.0f / static_cast<float>((bottom - top) * (right - left));
      for (std::int64_t c = 0; c < block; ++c) to[x * block + c] = sums[static_cast<std::size_t>(c)] * scale;
    }
  });
}

}  // namespace maskrt::kernels
