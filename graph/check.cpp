// The rules of a graph that hold at every size: who may read what, and which constants and attributes make sense.
#include <cmath>
#include <set>
#include <string>

#include "attributes.h"
#include "graph.h"
#include "overloaded.h"

namespace maskrt::graph {
namespace {

[[noreturn]] void fail(const Node& node, const std::string& what) {
  throw Error("node " + node.name + " (" + std::string(name_of(node.operation)) + "): " + what);
}

/// How many inputs an operation takes.
struct Arity {
  std::size_t fewest = 1, most = 1;
};

Arity arity(const Operation& operation) {
  constexpr Arity one, two = {2, 2};
  return std::visit(Overloaded{[](const Input&) {
                                 return Arity{0, 0};
                               },
                               [&](const Conv& conv) { return conv.residual ? two : one; },
                               [&](const ResizeBilinear& resize) {
                                 return resize.factor == 0 ? Arity{2, limits::inputs} : one;
                               },
                               [](const Concat&) {
                                 return Arity{1, limits::inputs};
                               },
                               [&](const Add&) { return two; }, [&](const Aggregate&) { return two; },
                               [&](const AggregateLogits&) { return two; }, [&](const MaskProduct&) { return two; },
                               [&](const auto&) { return one; }},
                    operation);
}

/// Bounds on each attribute by itself.
struct AttributeCheck {
  const Node& node;
  void integer(const char* name, std::int64_t value, std::int64_t low, std::int64_t high) const {
    if (value < low || value > high)
      fail(node, std::string("expected ") + name + " from " + std::to_string(low) + " to " + std::to_string(high) +
                     ", found " + std::to_string(value));
  }
  void real(const char* name, double value, double low, double high) const {
    if (!(value >= low && value <= high))  // NaN fails too
      fail(node, std::string("expected ") + name + " from " + std::to_string(low) + " to " + std::to_string(high) +
                     ", found " + std::to_string(value));
  }
  void boolean(const char*, bool) const {}
  void activation(const char* name, Activation value) const {
    if (value > Activation::sigmoid) fail(node, std::string("expected a known ") + name);
  }
  void constant(const char* name, const ConstantPtr& value, bool optional) const {
    if (!value && !optional) fail(node, std::string("expected a ") + name + ", found none");
  }
};

void expect_shape(const Node& node, const ConstantPtr& constant, const char* what, const Shape& shape) {
  if (constant && constant->shape() != shape)
    fail(node, std::string("expected ") + what + " " + constant->name() + " of shape " + to_string(shape) + ", found " +
                   to_string(constant->shape()));
}

/// Each extent of a weight from 1 to its bound; `high` also says how many extents there are.
void expect_bounds(const Node& node, const ConstantPtr& weight, const Shape& high) {
  bool good = weight->shape().size() == high.size();
  for (std::size_t i = 0; good && i < high.size(); ++i) good = weight->shape()[i] >= 1 && weight->shape()[i] <= high[i];
  if (!good)
    fail(node, "expected weight " + weight->name() + " of " + std::to_string(high.size()) + " extents from 1 up to " +
                   to_string(high) + ", found shape " + to_string(weight->shape()));
}

/// What the constants and attributes of one operation owe each other.
void check_constants(const Node& node) {
  using namespace limits;
  std::visit(
      Overloaded{[&](const Conv& conv) {
                   expect_bounds(node, conv.weight, {channels, channels, window, window});
                   const auto& shape = conv.weight->shape();
                   expect_shape(node, conv.bias, "bias", {shape[0]});
                   expect_shape(node, conv.coordinate_weight, "coordinate weight", {shape[0], 2, shape[2], shape[3]});
                   if (shape[0] % conv.groups != 0)
                     fail(node, "expected groups that divide the " + std::to_string(shape[0]) +
                                    " output channels, found " + std::to_string(conv.groups));
                   if (conv.coordinate_weight && conv.groups != 1)
                     fail(node, "expected 1 group beside a coordinate term, found " + std::to_string(conv.groups));
                 },
                 [&](const BatchNorm& norm) {
                   expect_bounds(node, norm.weight, {channels});
                   expect_shape(node, norm.bias, "bias", norm.weight->shape());
                   expect_shape(node, norm.mean, "mean", norm.weight->shape());
                   expect_shape(node, norm.variance, "variance", norm.weight->shape());
                 },
                 [&](const MaxPool& pool) {
                   // Otherwise a window could lie wholly outside the map and have no maximum.
                   if (pool.padding >= pool.kernel)
                     fail(node, "expected padding below the kernel size " + std::to_string(pool.kernel) + ", found " +
                                    std::to_string(pool.padding));
                 },
                 [&](const ResizeBilinear& resize) {
                   if (resize.factor != 0 && resize.factor < 1.0 / window)
                     fail(node, "expected factor 0 or at least 1/64, found " + std::to_string(resize.factor));
                 },
                 [&](const Linear& linear) {
                   expect_bounds(node, linear.weight, {channels, channels});
                   expect_shape(node, linear.bias, "bias", {linear.weight->shape()[0]});
                 },
                 [](const auto&) {}},
      node.operation);
}

}  // namespace

void check(const Graph& graph) {
  if (graph.nodes.empty() || !std::holds_alternative<Input>(graph.nodes[0].operation))
    throw Error("expected a graph whose first node is its input, found " +
                (graph.nodes.empty() ? "no node" : std::string(name_of(graph.nodes[0].operation))));
  if (graph.nodes.size() > static_cast<std::size_t>(limits::nodes))
    throw Error("expected a graph of at most " + std::to_string(limits::nodes) + " nodes, found " +
                std::to_string(graph.nodes.size()));
  const auto known = [&](ValueId id) { return id >= 0 && static_cast<std::size_t>(id) < graph.values.size(); };
  std::vector<bool> made(graph.values.size(), false);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const auto& node = graph.nodes[i];
    if (i != 0 && std::holds_alternative<Input>(node.operation)) fail(node, "expected one input, found another");
    for (const auto input : node.inputs)
      if (!known(input) || !made[static_cast<std::size_t>(input)])
        fail(node,
             "expected inputs that nodes before it make, found " +
                 (known(input) ? "value " + graph.values[static_cast<std::size_t>(input)].name : "no such value"));
    const auto [fewest, most] = arity(node.operation);
    if (node.inputs.size() < fewest || node.inputs.size() > most)
      fail(node, "expected " + std::to_string(fewest) + (most > fewest ? " to " + std::to_string(most) : "") +
                     " inputs, found " + std::to_string(node.inputs.size()));
    if (!known(node.output)) fail(node, "expected an output value, found none");
    if (made[static_cast<std::size_t>(node.output)])
      fail(node, "expected an output of its own, found value " +
                     graph.values[static_cast<std::size_t>(node.output)].name + ", which another node makes");
    made[static_cast<std::size_t>(node.output)] = true;
    std::visit([&](const auto& kind) { visit_attributes(kind, AttributeCheck{node}); }, node.operation);
    check_constants(node);
  }
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < graph.values.size(); ++i)
    if (made[i] && !names.insert(graph.values[i].name).second)
      throw Error("expected values of different names, found two named " + graph.values[i].name);
  for (const auto output : graph.outputs)
    if (!known(output) || !made[static_cast<std::size_t>(output)])
      throw Error("expected outputs that nodes make, found " +
                  (known(output) ? graph.values[static_cast<std::size_t>(output)].name : "no such value"));
}

}  // namespace maskrt::graph
