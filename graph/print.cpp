#include "print.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <initializer_list>
#include <string_view>

#include "overloaded.h"

namespace maskrt::graph {
namespace {

/// All parts one after another.
std::string joined(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const auto part : parts) text += part;
  return text;
}

std::string number(std::int64_t value) { return std::to_string(value); }

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}

std::string fixed(double value, int decimals) {
  char text[48];
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return text;
}

std::string after_comma(Activation activation) {
  return activation == Activation::none ? std::string() : joined({", ", name_of(activation)});
}

std::string conv_text(const Conv& conv) {
  const auto& shape = conv.weight->shape();
  auto text = joined({" ", number(shape[2]), "x", number(shape[3])});
  if (conv.stride != 1) text += joined({"/", std::to_string(conv.stride)});
  text += joined({" ", number(shape[1] * conv.groups), " -> ", number(shape[0])});
  if (conv.padding != 0) text += joined({", pad ", std::to_string(conv.padding)});
  if (conv.dilation != 1) text += joined({", dilation ", std::to_string(conv.dilation)});
  if (conv.groups != 1) text += joined({", groups ", std::to_string(conv.groups)});
  if (conv.bias) text += ", bias";
  if (conv.coordinate_weight) text += ", coordinates";
  if (conv.residual) text += ", residual";
  return text + after_comma(conv.activation);
}

std::string linear_text(const Linear& linear) {
  const auto& shape = linear.weight->shape();
  return joined(
      {" ", number(shape[1]), " -> ", number(shape[0]), linear.bias ? ", bias" : "", after_comma(linear.activation)});
}

std::string square(int side) { return joined({" ", std::to_string(side), "x", std::to_string(side)}); }

std::string pool_text(const MaxPool& pool) {
  auto text = joined({square(pool.kernel), "/", std::to_string(pool.stride)});
  if (pool.padding != 0) text += joined({", pad ", std::to_string(pool.padding)});
  return text;
}

using Row = std::array<std::string, 6>;  // name, operation, inputs, shape, GFLOP, MB

/// Columns as wide as their widest entry, but for the few entries that would push everything else off the screen: those
/// run into the columns after them, which find their places again as soon as they can.
std::string table(const std::vector<Row>& rows, std::size_t columns) {
  constexpr std::size_t widest = 60;
  constexpr std::size_t first_number = 4;  // numbers stand at the right of their column
  constexpr std::size_t gap = 2;
  std::array<std::size_t, std::tuple_size_v<Row>> begins = {}, widths = {};
  for (const auto& row : rows)
    for (std::size_t c = 0; c < columns; ++c)
      if (row[c].size() <= widest) widths[c] = std::max(widths[c], row[c].size());
  for (std::size_t c = 1; c < columns; ++c) begins[c] = begins[c - 1] + widths[c - 1] + gap;
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t c = 0; c < columns; ++c) {
      if (row[c].empty()) continue;
      auto begin = begins[c];
      if (c >= first_number && row[c].size() < widths[c]) begin += widths[c] - row[c].size();
      line.resize(line.empty() ? begin : std::max(begin, line.size() + gap), ' ');
      line += row[c];
    }
    text += line + "\n";
  }
  return text;
}

}  // namespace

std::string to_text(const Extent& extent) {
  return extent.list ? to_string(Shape{extent.batch, extent.height, extent.channels})
                     : to_string(Shape{extent.batch, extent.height, extent.width, extent.channels});
}

std::string to_text(const Operation& operation) {
  const auto attributes = std::visit(
      Overloaded{[](const Input& op) {
                   return joined({" ", number(op.channels), " channels"});
                 },
                 [](const Conv& op) { return conv_text(op); },
                 [](const BatchNorm& op) {
                   return joined({" epsilon ", number(op.epsilon)});
                 },
                 [](const Activate& op) {
                   return joined({" ", name_of(op.activation)});
                 },
                 [](const MaxPool& op) { return pool_text(op); },
                 [](const AdaptiveAveragePool& op) { return square(op.size); },
                 [](const UpsampleNearest& op) {
                   return joined({" x", std::to_string(op.factor)});
                 },
                 [](const ResizeBilinear& op) {
                   return op.factor == 0 ? std::string(" to the last input's size") : joined({" x", number(op.factor)});
                 },
                 [](const Slice& op) {
                   return joined({" ", number(op.begin), ":", number(op.begin + op.count)});
                 },
                 [](const NormaliseMaps& op) {
                   return joined({" epsilon ", number(op.epsilon)});
                 },
                 [](const AggregateLogits& op) {
                   return op.softmax ? std::string(" softmax") : joined({" sigmoid, epsilon ", number(op.epsilon)});
                 },
                 [](const Regroup& op) {
                   return joined({" ", number(op.blocks), " blocks of ", number(op.instances)});
                 },
                 [](const Linear& op) { return linear_text(op); },
                 [](const MaskProduct& op) { return std::string(op.offset ? " with offset" : ""); },
                 [](const auto&) { return std::string(); }},
      operation);
  return std::string(name_of(operation)) + attributes;
}

std::string to_text(const Graph& graph, const std::vector<Extent>& extents, std::size_t element) {
  const auto value_name = [&](ValueId id) { return graph.values[static_cast<std::size_t>(id)].name; };
  std::vector<Row> rows = {{"name", "operation", "reads", "output [B, H, W, C]", "GFLOP", "MB"}};
  Cost total;
  for (const auto& node : graph.nodes) {
    std::string reads;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (i != 0) reads += ", ";
      // A value read only for its size stands in parentheses.
      const auto name = value_name(node.inputs[i]);
      reads += reads_numbers(node, i) ? name : joined({"(", name, ")"});
    }
    const auto value = value_name(node.output);
    Row row = {node.name == value ? value : joined({node.name, " = ", value}), to_text(node.operation), reads};
    if (graph.is_output(node.output)) row[0] += " *";
    if (!extents.empty()) {
      const auto cost = cost_of(graph, node, extents, element);
      total.flops += cost.flops;
      total.bytes += cost.bytes;
      row[3] = to_text(extents[static_cast<std::size_t>(node.output)]);
      row[4] = fixed(cost.flops * 1e-9, 3);
      row[5] = fixed(cost.bytes * 1e-6, 2);
    }
    rows.push_back(std::move(row));
  }
  if (extents.empty()) return table(rows, 3);
  rows.push_back({"total", std::to_string(graph.nodes.size()) + " nodes", "", "", fixed(total.flops * 1e-9, 3),
                  fixed(total.bytes * 1e-6, 2)});
  return table(rows, 6);
}

}  // namespace maskrt::graph
