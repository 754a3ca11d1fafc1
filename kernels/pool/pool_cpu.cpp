#include <algorithm>
#include <vector>

#include "kernels/cpu/lines.h"
#include "kernels/cpu/onednn.h"
#include "pool.h"

namespace maskrt::kernels {

struct MaxPool::Primitive {
  dnnl::memory::desc in, out;
  dnnl::pooling_forward pool;
  std::int64_t calls = 1;  // one for each image where the images of a batch do not lie densely
};

MaxPool::MaxPool(const PoolGeometry& g, const Tensor& in, const Tensor& out) {
  auto made = std::make_shared<Primitive>();
  // The padding channels are pooled too: the maximum of zeros is 0, since no window lies wholly outside of the map.
  Tensor from = padded(in), to = padded(out);
  if (!onednn::dense_batch(from) || !onednn::dense_batch(to)) {
    made->calls = from.batch;
    from.batch = to.batch = 1;
  }
  made->in = onednn::layout_of(from);
  made->out = onednn::layout_of(to);
  const auto far = [&](std::int64_t size, std::int64_t out_size) {
    return (out_size - 1) * g.stride + g.kernel - size - g.padding;
  };
  made->pool = onednn::translated("max pool", [&] {
    const dnnl::pooling_forward::desc desc(
        dnnl::prop_kind::forward_inference, dnnl::algorithm::pooling_max, made->in, made->out, {g.stride, g.stride},
        {g.kernel, g.kernel}, {g.padding, g.padding}, {far(in.height, out.height), far(in.width, out.width)});
    return dnnl::pooling_forward(dnnl::pooling_forward::primitive_desc(desc, onednn::engine()));
  });
  primitive_ = std::move(made);
}

void MaxPool::run(const Tensor& in, const Tensor& out) const {
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
