#include "linear_cpu.h"

namespace maskrt::kernels {

using dnnl::memory;

struct Linear::Primitive {
  dnnl::inner_product_forward product;
  memory::desc in, weights, plain_weights, bias, out, scratch;
};

Linear::Linear(std::int64_t rows, std::int64_t in_channels, std::int64_t out_channels, bool bias,
               Activation activation) {
  auto made = std::make_shared<Primitive>();
  const auto f32 = memory::data_type::f32;
  made->in = {{rows, in_channels}, f32, memory::format_tag::ab};
  made->out = {{rows, out_channels}, f32, memory::format_tag::ab};
  made->plain_weights = {{out_channels, in_channels}, f32, memory::format_tag::ab};
  if (bias) made->bias = {{out_channels}, f32, memory::format_tag::x};
  dnnl::post_ops ops;
  if (activation == Activation::relu) ops.append_eltwise(1.0f, dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
  if (activation == Activation::sigmoid) ops.append_eltwise(1.0f, dnnl::algorithm::eltwise_logistic, 0.0f, 0.0f);
  dnnl::primitive_attr attributes;
  attributes.set_post_ops(ops);
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  onednn::translated("linear", [&] {
    const dnnl::inner_product_forward::desc desc(
        dnnl::prop_kind::forward_inference, made->in,
        memory::desc({out_channels, in_channels}, f32, memory::format_tag::any), made->bias, made->out);
    const dnnl::inner_product_forward::primitive_desc chosen(desc, attributes, onednn::engine());
    made->product = dnnl::inner_product_forward(chosen);
    made->weights = chosen.weights_desc();
    made->scratch = chosen.scratchpad_desc();
  });
  primitive_ = std::move(made);
}

const memory::desc& Linear::weight_layout() const { return primitive_->weights; }
std::size_t Linear::scratch_bytes() const { return primitive_->scratch.get_size(); }

void Linear::prepare(const float* weight, void* prepared) const {
  onednn::Reorder(primitive_->plain_weights, primitive_->weights).run(weight, prepared);
}

void Linear::run(const void* in, const void* weights, const float* bias, void* out, void* scratch) const {
  const Primitive& p = *primitive_;
  p.product.execute(onednn::stream(), {{DNNL_ARG_SRC, onednn::wrap(p.in, in)},
                                       {DNNL_ARG_WEIGHTS, onednn::wrap(p.weights, weights)},
                                       {DNNL_ARG_BIAS, onednn::wrap(p.bias, bias)},
                                       {DNNL_ARG_DST, onednn::wrap(p.out, out)},
                                       {DNNL_ARG_SCRATCHPAD, onednn::wrap(p.scratch, scratch)}});
}

}  // namespace maskrt::kernels
