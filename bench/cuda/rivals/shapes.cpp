// What of a network's layers is whose business.
#include <optional>

#include "rivals.h"

namespace maskrt::bench {
namespace {

using graph::Extent;

std::optional<ConvShape> conv_shape(const graph::Node& node, const std::vector<Extent>& extents) {
  const auto* op = std::get_if<graph::Conv>(&node.operation);
  if (op == nullptr) return std::nullopt;
  const Extent& in = extents[static_cast<std::size_t>(node.inputs[0])];
  const Extent& out = extents[static_cast<std::size_t>(node.output())];
  const Shape& weight = op->weight->shape();
  return ConvShape{in.batch,
                   in.height,
                   in.width,
                   in.channels,
                   out.channels,
                   out.height,
                   out.width,
                   static_cast<int>(weight[2]),
                   static_cast<int>(weight[3]),
                   op->stride,
                   op->padding,
                   op->dilation,
                   op->groups,
                   op->bias != nullptr,
                   op->residual,
                   op->activation == graph::Activation::relu};
}

/// Pixels or rows are the columns of D, channels its rows: row-major memory, read as cuBLAS reads it.
std::optional<ProductShape> product_shape(const graph::Node& node, const std::vector<Extent>& extents) {
  const auto extent = [&](std::size_t i) { return extents[static_cast<std::size_t>(node.inputs[i])]; };
  const Extent& out = extents[static_cast<std::size_t>(node.output())];
  if (const auto conv = conv_shape(node, extents)) {
    const bool pointwise = conv->kernel_height == 1 && conv->kernel_width == 1 && conv->stride == 1 &&
                           conv->padding == 0 && conv->groups == 1 && !conv->residual;
    if (!pointwise) return std::nullopt;
    return ProductShape{conv->out, conv->batch * conv->height * conv->width, conv->in, 1, true, true, conv->bias,
                        conv->relu};
  }
  if (const auto* linear = std::get_if<graph::Linear>(&node.operation))
    return ProductShape{out.channels,
                        out.batch * out.height,
                        linear->weight->shape()[1],
                        1,
                        true,
                        true,
                        linear->bias != nullptr,
                        linear->activation == graph::Activation::relu};
  if (std::holds_alternative<graph::MaskProduct>(node.operation))
    return ProductShape{out.channels, out.height * out.width, extent(1).channels, out.batch};
  if (std::holds_alternative<graph::Aggregate>(node.operation) ||
      std::holds_alternative<graph::AggregateLogits>(node.operation)) {
    const Extent maps = extent(0), features = extent(1);
    return ProductShape{features.channels, maps.channels, maps.height * maps.width, maps.batch, false, false};
  }
  return std::nullopt;
}

/// Why it cannot be had; empty where it can.
std::string reason_against(void (*require)()) {
  try {
    require();
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

}  // namespace

std::vector<RivalOfLayer> rivals_of(const graph::Graph& graph, const std::vector<Extent>& extents,
                                    const std::string& layer) {
  static const bool cublas = reason_against(require_cublas).empty(), cudnn = reason_against(require_cudnn).empty();
  std::vector<RivalOfLayer> rivals;
  for (const graph::Node& node : graph.nodes) {
    if (node.name != layer) continue;
    if (const auto shape = product_shape(node, extents); cublas && shape)
      rivals.push_back({"cublas", [shape](cuda::SessionStream& stream) { return make_cublas(stream, *shape); }});
    if (const auto shape = conv_shape(node, extents); cudnn && shape)
      rivals.push_back({"cudnn", [shape](cuda::SessionStream& stream) { return make_cudnn(stream, *shape); }});
  }
  return rivals;
}

std::vector<std::string> absent_rivals() {
  std::vector<std::string> words;
  for (const auto require : {require_cublas, require_cudnn})
    if (std::string word = reason_against(require); !word.empty()) words.push_back(word + "; left out");
  return words;
}

}  // namespace maskrt::bench
