#include "conv_cpu.h"

#include <utility>
#include <vector>

#include "kernels/element.h"
#include "winograd_weights.h"

namespace maskrt::kernels {
namespace {

using dnnl::algorithm;
using dnnl::memory;

memory::dims weight_dims(const ConvGeometry& g, std::int64_t out_channels, std::int64_t group_in) {
  if (g.groups == 1) return {out_channels, group_in, g.kernel_height, g.kernel_width};
  return {g.groups, out_channels / g.groups, group_in, g.kernel_height, g.kernel_width};
}

memory::desc plain_weights(const ConvGeometry& g, std::int64_t out_channels, std::int64_t group_in) {
  return {weight_dims(g, out_channels, group_in), memory::data_type::f32,
          g.groups == 1 ? memory::format_tag::oihw : memory::format_tag::goihw};
}

dnnl::primitive_attr epilogue(const ConvProblem& problem) {
  dnnl::post_ops ops;
  if (problem.accumulate) ops.append_sum(1.0f);
  switch (problem.activation) {
    case Activation::relu:
      ops.append_eltwise(1.0f, algorithm::eltwise_relu, 0.0f, 0.0f);
      break;
    case Activation::leaky_relu:
      ops.append_eltwise(1.0f, algorithm::eltwise_relu, problem.slope, 0.0f);
      break;
    case Activation::gelu:
      ops.append_eltwise(1.0f, algorithm::eltwise_gelu_erf, 0.0f, 0.0f);
      break;
    case Activation::sigmoid:
      throw Error("convolution: expected an activation other than sigmoid, found sigmoid");
    case Activation::none:
      break;
  }
  dnnl::primitive_attr attributes;
  attributes.set_post_ops(ops);
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

bool is_reference(const std::string& implementation) { return implementation.find("ref") != std::string::npos; }

/// Whether the windows of some output row lie entirely in the padding.
bool has_rows_of_padding(const ConvProblem& p) {
  const ConvGeometry& g = p.geometry;
  for (std::int64_t y = 0; y < p.out.height; ++y) {
    bool reads = false;
    for (int tap = 0; tap < g.kernel_height && !reads; ++tap) {
      const std::int64_t row = y * g.stride - g.padding + std::int64_t{tap} * g.dilation;
      reads = row >= 0 && row < p.in.height;
    }
    if (!reads) return true;
  }
  return false;
}

/// A bug of oneDNN 2.6's brgconv with accumulation: in output rows whose windows lie entirely in the padding it omits
/// the bias, and its ReLU reads from an uninitialised address. Columns in the padding, and rows without accumulation,
/// are correct.
bool is_wrong(const std::string& implementation, const ConvProblem& p) {
  return p.accumulate && implementation.starts_with("brgconv") && has_rows_of_padding(p);
}

}  // namespace

std::optional<dnnl::convolution_forward::primitive_desc> Convolution::describe(const ConvProblem& asked,
                                                                               ConvAlgorithm how) {
  problem_ = asked;
  ConvProblem& p = problem_;
  p.in = p.whole_blocks(p.in);
  p.out = p.whole_blocks(p.out);
  if (how == ConvAlgorithm::winograd && p.activation != Activation::relu)
    activation_left_ = std::exchange(p.activation, Activation::none);
  if (how != ConvAlgorithm::free && !(onednn::dense_batch(p.in) && onednn::dense_batch(p.out))) {
    images_ = p.in.batch;
    p.in.batch = p.out.batch = 1;
  }
  const ConvGeometry& g = p.geometry;
  memory::desc in = onednn::layout_of(p.in), out = onednn::layout_of(p.out);
  if (how == ConvAlgorithm::free) {
    in = {in.dims(), in.data_type(), memory::format_tag::any};
    out = {out.dims(), out.data_type(), memory::format_tag::any};
  }
  const memory::desc weights(weight_dims(g, p.out.channels, p.in.channels / g.groups), in.data_type(),
                             memory::format_tag::any);
  const memory::desc bias =
      p.bias ? memory::desc({p.out.channels}, memory::data_type::f32, memory::format_tag::x) : memory::desc();
  const memory::dims strides{g.stride, g.stride}, dilation{g.dilation - 1, g.dilation - 1};
  // The padding at the far end follows from the output's size: it may be less than that at the near end.
  const auto far = [&](std::int64_t size, std::int64_t out_size, int kernel) {
    return (out_size - 1) * g.stride + std::int64_t{g.dilation} * (kernel - 1) + 1 - size - g.padding;
  };
  const memory::dims near_padding{g.padding, g.padding},
      far_padding{far(p.in.height, p.out.height, g.kernel_height), far(p.in.width, p.out.width, g.kernel_width)};
  const auto kind = how == ConvAlgorithm::winograd ? algorithm::convolution_winograd : algorithm::convolution_direct;
  const dnnl::convolution_forward::desc desc(dnnl::prop_kind::forward_inference, kind, in, weights, bias, out, strides,
                                             dilation, near_padding, far_padding);
  dnnl::convolution_forward::primitive_desc chosen(desc, epilogue(p), onednn::engine());
  while (is_wrong(chosen.impl_info_str(), p))
    if (!chosen.next_impl()) throw dnnl::error(dnnl_unimplemented, "no right implementation");
  implementation_ = chosen.impl_info_str();
  if (how != ConvAlgorithm::free && is_reference(implementation_)) return std::nullopt;
  return chosen;
}

template <typename Work>
auto Convolution::unless_unimplemented(const ConvProblem& p, ConvAlgorithm how, const Work& work) -> decltype(work()) {
  try {
    return work();
  } catch (const dnnl::error& error) {
    if (error.status != dnnl_unimplemented || how == ConvAlgorithm::free)
      onednn::throw_refusal(
          "convolution of " + std::to_string(p.in.channels) + " to " + std::to_string(p.out.channels) + " channels",
          error);
    return {};
  }
}

std::string Convolution::implementation_of(const ConvProblem& problem, ConvAlgorithm how) {
  return unless_unimplemented(problem, how, [&]() -> std::string {
    Convolution conv;
    return conv.describe(problem, how) ? conv.implementation_ : "";
  });
}

std::shared_ptr<const Convolution> Convolution::make(const ConvProblem& problem, ConvAlgorithm how) {
  return unless_unimplemented(problem, how, [&]() -> std::shared_ptr<const Convolution> {
    auto conv = std::shared_ptr<Convolution>(new Convolution);
    const auto chosen = conv->describe(problem, how);
    if (!chosen) return nullptr;
    conv->primitive_ = dnnl::convolution_forward(*chosen);
    conv->in_layout_ = chosen->src_desc();
    conv->out_layout_ = chosen->dst_desc();
    conv->weight_layout_ = chosen->weights_desc();
    conv->bias_layout_ = chosen->bias_desc();
    conv->scratch_layout_ = chosen->scratchpad_desc();
    return conv;
  });
}

void Convolution::prepare(const float* weight, std::int64_t out_channels, std::int64_t group_in_channels,
                          void* prepared) const {
  const ConvGeometry& g = problem_.geometry;
  const std::int64_t group_in = problem_.in.channels / g.groups, taps = std::int64_t{g.kernel_height} * g.kernel_width;
  std::vector<float> with_padding;
  if (out_channels != problem_.out.channels || group_in_channels != group_in) {
    with_padding.assign(static_cast<std::size_t>(problem_.out.channels * group_in * taps), 0.0f);
    for (std::int64_t o = 0; o < out_channels; ++o)
      std::copy_n(weight + o * group_in_channels * taps, group_in_channels * taps,
                  with_padding.begin() + o * group_in * taps);
    weight = with_padding.data();
  }
  if (g.groups == 1 &&
      winograd_weights(weight, problem_.out.channels, group_in, weight_layout_, static_cast<float*>(prepared)))
    return;
  onednn::Reorder(plain_weights(g, problem_.out.channels, group_in), weight_layout_).run(weight, prepared);
}

void Convolution::run(const void* in, const void* weights, const float* bias, void* out, void* scratch) const {
  const std::int64_t element_in = static_cast<std::int64_t>(size_of(problem_.in.type)),
                     element_out = static_cast<std::int64_t>(size_of(problem_.out.type));
  for (std::int64_t b = 0; b < images_; ++b) {
    const auto* from = static_cast<const std::byte*>(in) + b * problem_.in.batch_stride * element_in;
    auto* to = static_cast<std::byte*>(out) + b * problem_.out.batch_stride * element_out;
    primitive_.execute(onednn::stream(), {{DNNL_ARG_SRC, onednn::wrap(in_layout_, from)},
                                          {DNNL_ARG_WEIGHTS, onednn::wrap(weight_layout_, weights)},
                                          {DNNL_ARG_BIAS, onednn::wrap(bias_layout_, bias)},
                                          {DNNL_ARG_DST, onednn::wrap(out_layout_, to)},
                                          {DNNL_ARG_SCRATCHPAD, onednn::wrap(scratch_layout_, scratch)}});
  }
}

}  // namespace maskrt::kernels
