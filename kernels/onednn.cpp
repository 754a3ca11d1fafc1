#include "onednn.h"

#include <cstdlib>

namespace maskrt::kernels::onednn {

const dnnl::engine& engine() {
  static const dnnl::engine instance = [] {
    if (std::getenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY") == nullptr) dnnl_set_primitive_cache_capacity(0);
    return dnnl::engine(dnnl::engine::kind::cpu, 0);
  }();
  return instance;
}

dnnl::stream& stream() {
  thread_local dnnl::stream instance(engine());
  return instance;
}

dnnl::memory::data_type type_of(DataType type) {
  switch (type) {
    case DataType::f32:
      return dnnl::memory::data_type::f32;
    case DataType::bf16:
      return dnnl::memory::data_type::bf16;
    default:
      throw Error("oneDNN: expected fp32 or bf16, found " + std::string(name_of(type)));
  }
}

bool dense_batch(const Tensor& t) {
  return t.batch == 1 || t.batch_stride == t.blocks() * t.height * t.width * t.pixel_stride;
}

dnnl::memory::desc layout_of(const Tensor& t) {
  using Tag = dnnl::memory::format_tag;
  const dnnl::memory::dims dims{t.batch, t.channels, t.height, t.width};
  const auto type = type_of(t.type);
  if ((t.block == 16 || t.block == 8) && t.pixel_stride == t.block) {
    dnnl::memory::desc layout(dims, type, t.block == 16 ? Tag::nChw16c : Tag::nChw8c);
    if (!dense_batch(t)) layout.data.format_desc.blocking.strides[0] = t.batch_stride;
    return layout;
  }
  const std::int64_t channel_stride = t.block == 1 ? t.block_stride : 1;
  const std::int64_t batch_stride =
      t.batch == 1 ? (t.block == 1 ? t.channels * t.block_stride : t.height * t.width * t.pixel_stride)
                   : t.batch_stride;
  return {dims, type, {batch_stride, channel_stride, t.width * t.pixel_stride, t.pixel_stride}};
}

Reorder::Reorder(const dnnl::memory::desc& from, const dnnl::memory::desc& to) : from_(from), to_(to) {
  reorder_ =
      translated("reorder", [&] { return dnnl::reorder(dnnl::reorder::primitive_desc(engine(), from, engine(), to)); });
}

void Reorder::run(const void* from, void* to) const {
  reorder_.execute(stream(), {{DNNL_ARG_FROM, wrap(from_, from)}, {DNNL_ARG_TO, wrap(to_, to)}});
}

}  // namespace maskrt::kernels::onednn
