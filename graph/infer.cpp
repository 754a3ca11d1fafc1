// Shapes once batch, height and width are known, and what each node costs at them.
#include <algorithm>
#include <cmath>
#include <string>

#include "attributes.h"
#include "graph.h"
#include "overloaded.h"
#include "print.h"

namespace maskrt::graph {
namespace {

/// Infers one node's output from its inputs' extents.
class Inference {
 public:
  Inference(const Graph& graph, const Node& node, const std::vector<Extent>& extents)
      : graph_(graph), node_(node), extents_(extents) {}

  Extent infer() const {
    const auto out = std::visit([this](const auto& kind) { return of(kind); }, node_.operation);
    const bool in_bounds = out.batch >= 1 && out.batch <= limits::batch && out.height >= 1 &&
                           out.height <= limits::side && out.width >= 1 && out.width <= limits::side &&
                           out.channels >= 1 && out.channels <= limits::channels &&
                           static_cast<double>(out.batch) * static_cast<double>(out.height) *
                                   static_cast<double>(out.width) * static_cast<double>(out.channels) <=
                               static_cast<double>(limits::elements);
    if (!in_bounds) fail("expected an output of at least 1 and at most 2^40 elements, found shape " + to_text(out));
    return out;
  }

 private:
  const Graph& graph_;
  const Node& node_;
  const std::vector<Extent>& extents_;

  [[noreturn]] void fail(const std::string& what) const {
    throw Error("node " + node_.name + " (" + std::string(name_of(node_.operation)) + "): " + what);
  }
  const Extent& in(std::size_t i) const { return extents_[static_cast<std::size_t>(node_.inputs.at(i))]; }
  std::string described(std::size_t i) const {
    return graph_.values[static_cast<std::size_t>(node_.inputs[i])].name + " " + to_text(in(i));
  }
  /// inputs[i], which must be a map.
  const Extent& map(std::size_t i) const {
    if (in(i).list) fail("expected a map, found the list " + described(i));
    return in(i);
  }
  const Extent& list(std::size_t i) const {
    if (!in(i).list) fail("expected a list of vectors, found the map " + described(i));
    return in(i);
  }
  void expect_channels(std::size_t i, std::int64_t channels) const {
    if (in(i).channels != channels) fail("expected " + std::to_string(channels) + " channels, found " + described(i));
  }
  void expect_same_place(std::size_t i, std::size_t j) const {
    const auto &a = in(i), &b = in(j);
    if (a.batch != b.batch || a.height != b.height || a.width != b.width || a.list != b.list)
      fail("expected maps of one batch, height and width, found " + described(i) + " and " + described(j));
  }

  std::int64_t windows(std::int64_t n, std::int64_t kernel, std::int64_t stride, std::int64_t padding,
                       std::int64_t dilation) const {
    const auto room = n + 2 * padding - dilation * (kernel - 1) - 1;
    if (room < 0)
      fail("expected an input at least as large as its window of " + std::to_string(dilation * (kernel - 1) + 1) +
           " with padding " + std::to_string(padding) + ", found " + described(0));
    return room / stride + 1;
  }

  Extent of(const Input&) const { fail("expected the input only as the first node"); }
  Extent of(const Conv& conv) const {
    const auto& x = map(0);
    const auto& weight = conv.weight->shape();
    expect_channels(0, weight[1] * conv.groups);
    const Extent out{x.batch, windows(x.height, weight[2], conv.stride, conv.padding, conv.dilation),
                     windows(x.width, weight[3], conv.stride, conv.padding, conv.dilation), weight[0]};
    if (conv.residual && !(in(1) == out))
      fail("expected a residual of the output's shape " + to_text(out) + ", found " + described(1));
    return out;
  }
  Extent of(const BatchNorm& norm) const {
    expect_channels(0, norm.weight->shape()[0]);
    return map(0);
  }
  Extent of(const Activate&) const { return in(0); }
  Extent of(const Add&) const {
    if (!(in(0) == in(1))) fail("expected inputs of one shape, found " + described(0) + " and " + described(1));
    return in(0);
  }
  Extent of(const MaxPool& pool) const {
    const auto& x = map(0);
    return {x.batch, windows(x.height, pool.kernel, pool.stride, pool.padding, 1),
            windows(x.width, pool.kernel, pool.stride, pool.padding, 1), x.channels};
  }
  Extent of(const AdaptiveAveragePool& pool) const { return {map(0).batch, pool.size, pool.size, in(0).channels}; }
  Extent of(const UpsampleNearest& upsample) const {
    const auto& x = map(0);
    return {x.batch, x.height * upsample.factor, x.width * upsample.factor, x.channels};
  }
  Extent of(const ResizeBilinear& resize) const {
    auto out = map(0);
    if (resize.factor != 0) {
      out.height = static_cast<std::int64_t>(std::floor(static_cast<double>(out.height) * resize.factor));
      out.width = static_cast<std::int64_t>(std::floor(static_cast<double>(out.width) * resize.factor));
      return out;
    }
    const auto last = node_.inputs.size() - 1;
    for (std::size_t i = 1; i < last; ++i) {
      map(i);
      expect_channels(i, out.channels);
    }
    out.height = map(last).height;
    out.width = in(last).width;
    return out;
  }
  Extent of(const Concat&) const {
    auto out = in(0);
    for (std::size_t i = 1; i < node_.inputs.size(); ++i) {
      expect_same_place(0, i);
      out.channels += in(i).channels;
    }
    return out;
  }
  Extent of(const Slice& slice) const {
    auto out = in(0);
    if (slice.begin + slice.count > out.channels)
      fail("expected at least " + std::to_string(slice.begin + slice.count) + " channels, found " + described(0));
    out.channels = slice.count;
    return out;
  }
  Extent of(const Coordinates&) const {
    auto out = map(0);
    out.channels = 2;
    return out;
  }
  Extent of(const NormaliseMaps&) const { return map(0); }
  Extent of(const SoftmaxMaps&) const { return map(0); }
  Extent aggregated() const {
    map(0), map(1);
    expect_same_place(0, 1);
    return {in(0).batch, in(0).channels, 1, in(1).channels, true};
  }
  Extent of(const Aggregate&) const { return aggregated(); }
  Extent of(const AggregateLogits&) const { return aggregated(); }
  Extent of(const Regroup& regroup) const {
    const auto& x = list(0);
    // At most 2^40 each, so the remainder is exact.
    const auto numbers = x.height * x.channels, parts = regroup.blocks * regroup.instances;
    if (numbers % parts != 0)
      fail("expected a list whose numbers divide into " + std::to_string(regroup.blocks) + " blocks of " +
           std::to_string(regroup.instances) + " instances, found " + described(0));
    return {x.batch, regroup.instances, 1, numbers / regroup.instances, true};
  }
  Extent of(const Linear& linear) const {
    auto out = list(0);
    expect_channels(0, linear.weight->shape()[1]);
    out.channels = linear.weight->shape()[0];
    return out;
  }
  Extent of(const MaskProduct& product) const {
    const auto& kernels = list(0);
    const auto& features = map(1);
    if (kernels.batch != features.batch || kernels.channels != features.channels + (product.offset ? 1 : 0))
      fail("expected kernels of " + std::to_string(features.channels + (product.offset ? 1 : 0)) +
           " numbers for the features " + described(1) + ", found " + described(0));
    return {features.batch, features.height, features.width, kernels.height};
  }
};

}  // namespace

std::vector<Extent> infer_extents(const Graph& graph, std::int64_t batch, std::int64_t height, std::int64_t width) {
  check(graph);
  const auto in_range = [](std::int64_t n, std::int64_t most) { return n >= 1 && n <= most; };
  const auto channels = std::get<Input>(graph.nodes[0].operation).channels;
  if (!in_range(batch, limits::batch) || !in_range(height, limits::side) || !in_range(width, limits::side) ||
      static_cast<double>(batch) * static_cast<double>(height) * static_cast<double>(width) *
              static_cast<double>(channels) >
          static_cast<double>(limits::elements))
    throw Error("expected an input of at least 1 and at most 2^40 elements, found shape " +
                to_string(Shape{batch, height, width, channels}));
  std::vector<Extent> extents(graph.values.size());
  extents[static_cast<std::size_t>(graph.nodes[0].output)] = {batch, height, width, channels};
  for (std::size_t i = 1; i < graph.nodes.size(); ++i) {
    const auto& node = graph.nodes[i];
    extents[static_cast<std::size_t>(node.output)] = Inference(graph, node, extents).infer();
  }
  return extents;
}

Cost cost_of(const Graph&, const Node& node, const std::vector<Extent>& extents, std::size_t element) {
  const auto extent = [&](ValueId id) -> const Extent& { return extents[static_cast<std::size_t>(id)]; };
  const auto numbers = [&](ValueId id) { return static_cast<double>(extent(id).elements()); };
  const auto x = [&](std::size_t i) { return numbers(node.inputs[i]); };
  const double out = numbers(node.output);

  double moved = out;
  for (std::size_t i = 0; i < node.inputs.size(); ++i)
    if (reads_numbers(node, i)) moved += std::holds_alternative<Slice>(node.operation) ? out : x(i);
  for (const auto& constant : constants_of(node.operation)) moved += static_cast<double>(elements(constant->shape()));

  // maps^T x features: every position of every map meets every feature.
  const auto aggregate = [&] { return 2.0 * x(0) * static_cast<double>(extent(node.inputs[1]).channels); };
  const double flops = std::visit(
      Overloaded{[&](const Conv& conv) {
                   const auto& weight = conv.weight->shape();
                   const auto inputs = static_cast<double>(weight[1] + (conv.coordinate_weight ? 2 : 0));
                   return 2.0 * out * inputs * static_cast<double>(weight[2] * weight[3]) + (conv.residual ? out : 0.0);
                 },
                 [&](const Linear& linear) { return 2.0 * out * static_cast<double>(linear.weight->shape()[1]); },
                 [&](const Aggregate&) { return aggregate(); },
                 [&](const AggregateLogits&) { return aggregate() + 2.0 * x(0); },
                 [&](const MaskProduct&) { return 2.0 * out * static_cast<double>(extent(node.inputs[0]).channels); },
                 [&](const BatchNorm&) { return 2.0 * out; }, [&](const Add&) { return out; },
                 [&](const Activate&) { return out; },
                 [&](const MaxPool& pool) { return out * pool.kernel * pool.kernel; },
                 [&](const AdaptiveAveragePool&) { return x(0); },
                 [&](const ResizeBilinear& resize) {  // four corners
                   return 8.0 * out * static_cast<double>(resize.factor == 0 ? node.inputs.size() - 1 : 1);
                 },
                 [&](const NormaliseMaps&) { return 2.0 * out; }, [&](const SoftmaxMaps&) { return 4.0 * out; },
                 [](const auto&) { return 0.0; }},
      node.operation);
  return {flops, moved * static_cast<double>(element)};
}

}  // namespace maskrt::graph
