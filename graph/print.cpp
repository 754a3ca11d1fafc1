#include "print.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <initializer_list>
#include <string_view>

namespace maskrt::graph {
namespace {

/// All parts one after another.
std::string joined(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const auto part : parts) text += part;
  return text;
}

std::string fixed(double value, int decimals) {
  char text[48];
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
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

/// "conv", "conv = features", "select = positions, scores *": the node and its values, the graph's outputs marked.
std::string made_by(const Graph& graph, const Node& node) {
  std::string values;
  for (const ValueId value : node.outputs) {
    if (!values.empty()) values += ", ";
    values += graph.values[static_cast<std::size_t>(value)].name;
    if (graph.is_output(value)) values += " *";
  }
  const bool same = node.outputs.size() == 1 && graph.values[static_cast<std::size_t>(node.output())].name == node.name;
  return same ? values : joined({node.name, " = ", values});
}

}  // namespace

std::string to_text(const Operation& operation) {
  return std::visit([](const auto& op) { return std::string(op.name) + op.text(); }, operation);
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
    Row row = {made_by(graph, node), to_text(node.operation), reads};
    if (!extents.empty()) {
      const auto cost = cost_of(graph, node, extents, element);
      total.flops += cost.flops;
      total.bytes += cost.bytes;
      for (const ValueId value : node.outputs)
        row[3] += (row[3].empty() ? "" : ", ") + to_text(extents[static_cast<std::size_t>(value)]);
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
