// MaskProduct(Linear(x), Conv1x1(f)) -> MaskProduct(Linear'(x), f) with an offset.
//
// With kernels k = W x + w and mask features m = P f + p, k . m = (P^T k) . f + p . k. Both P^T k and p . k are affine
// in x, so one linear layer with a row for each of f's channels and one more for the offset computes them, and the
// projection is never applied to the map. Applied where it saves work, since then every instance multiplies all of f's
// channels.
#include <algorithm>
#include <utility>

#include "pattern.h"
#include "rewrites.h"

namespace maskrt::graph {
namespace {

/// [P | p]^T times `right` [K, columns]: rows for each channel of f, then one for the offset.
Numbers times_projection(const Numbers& projection, const Numbers& bias, const Numbers& right, std::size_t features,
                         std::size_t kernel) {
  Numbers transposed((features + 1) * kernel);
  for (std::size_t k = 0; k < kernel; ++k) {
    for (std::size_t f = 0; f < features; ++f) transposed[f * kernel + k] = projection[k * features + f];
    transposed[features * kernel + k] = bias.empty() ? 0.0f : bias[k];
  }
  return matrix_product(transposed, right, features + 1, kernel, right.size() / kernel);
}

/// The linear layer that computes the projected kernels and their offsets.
Linear projected(const Linear& kernels, const Conv& projection) {
  const auto kernel = projection.weight->shape()[0], features = projection.weight->shape()[1];
  const auto compute = [f = static_cast<std::size_t>(features),
                        k = static_cast<std::size_t>(kernel)](const std::vector<Numbers>& from) {
    return times_projection(from[0], from[1], from[2], f, k);
  };
  const auto name = [&](const ConstantPtr& right) { return projection.weight->name() + "^T x " + right->name(); };
  Linear result;
  result.weight = derive(name(kernels.weight), {features + 1, kernels.weight->shape()[1]},
                         {projection.weight, projection.bias, kernels.weight}, compute);
  if (kernels.bias)
    result.bias =
        derive(name(kernels.bias), {features + 1}, {projection.weight, projection.bias, kernels.bias}, compute);
  return result;
}

}  // namespace

void reassociate_masks(Graph& graph) {
  const auto extents = typical_extents(graph);
  if (extents.empty()) return;
  for (int i = 0; i < static_cast<int>(graph.nodes.size()); ++i) {
    const auto node = graph.nodes[static_cast<std::size_t>(i)];
    const auto* product = std::get_if<MaskProduct>(&node.operation);
    if (product == nullptr || product->offset) continue;
    if (only_reader(graph, node.inputs[0]) != i || only_reader(graph, node.inputs[1]) != i) continue;
    const auto* kernels = maker_as<Linear>(graph, node.inputs[0]);
    const auto* projection = maker_as<Conv>(graph, node.inputs[1]);
    if (kernels == nullptr || kernels->activation != Activation::none) continue;
    if (projection == nullptr || !is_pointwise(*projection) || projection->residual ||
        projection->activation != Activation::none)
      continue;
    // The new layer has a row for each of f's channels: its weights must not outgrow the file's.
    constexpr std::int64_t widest = 16;
    if (projection->weight->shape()[1] > widest * projection->weight->shape()[0]) continue;

    Graph changed = graph;
    const int linear = graph.producer(node.inputs[0]), conv = graph.producer(node.inputs[1]);
    changed.nodes[static_cast<std::size_t>(linear)].operation = projected(*kernels, *projection);
    auto& masks = changed.nodes[static_cast<std::size_t>(i)];
    masks.operation = MaskProduct{true};
    masks.inputs[1] = graph.nodes[static_cast<std::size_t>(conv)].inputs[0];
    auto changed_extents = extents;
    changed_extents[static_cast<std::size_t>(node.inputs[0])].channels = projection->weight->shape()[1] + 1;
    const auto flops = [&](const Graph& of, int index, const std::vector<Extent>& at) {
      return cost_of(of, of.nodes[static_cast<std::size_t>(index)], at).flops;
    };
    const double before = flops(graph, linear, extents) + flops(graph, conv, extents) + flops(graph, i, extents);
    const double after = flops(changed, linear, changed_extents) + flops(changed, i, changed_extents);
    if (after >= before) continue;
    erase_node(changed, conv);
    graph = std::move(changed);
    --i;
  }
}

}  // namespace maskrt::graph
