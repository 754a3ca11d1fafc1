#include "precision_plan.h"

#include <algorithm>
#include <limits>

#include "conv_calls.h"

namespace maskrt::cpu {
namespace {

using graph::Graph;
using graph::Node;
using graph::ValueId;

std::size_t at(int index) { return static_cast<std::size_t>(index); }

constexpr double kNever = 1e9;  // seconds, and yet small enough to add up

/// Sums of few products gain little time and lose as much precision as long ones: narrow layers and groups stay in
/// fp32. So does a layer with a coordinate term, which would be rounded where it waits to be added to.
bool suits_bf16(const graph::Conv& conv) {
  constexpr std::int64_t few_channels = 64;
  return conv.groups == 1 && conv.weight->shape()[1] >= few_channels && conv.coordinate_weight == nullptr;
}

class Search {
 public:
  Search(const Graph& graph, const std::vector<graph::Extent>& extents, ConvChooser& chooser, int threads)
      : graph_(graph), extents_(extents) {
    for (const Node& node : graph.nodes) {
      Times times;
      if (const auto* conv = std::get_if<graph::Conv>(&node.operation)) {
        const ConvNode shape(*conv, extents[at(node.inputs[0])], extents[at(node.output())]);
        const auto seconds = [&](DataType type) {
          return choose_calls(shape, type, DataType::f32, 0, chooser, threads).seconds();
        };
        times.fp32 = seconds(DataType::f32);
        times.bf16 = suits_bf16(*conv) ? seconds(DataType::bf16) : kNever;
      }
      times_.push_back(times);
    }
  }

  PrecisionPlan run() {
    PrecisionPlan best;
    double least = std::numeric_limits<double>::max();
    for (const DataType start : {DataType::bf16, DataType::f32}) {
      std::vector<DataType> conv(graph_.nodes.size(), start);
      double cost = cost_of(conv);
      for (bool changed = true; changed;) {
        changed = false;
        for (std::size_t i = 0; i < conv.size(); ++i) {
          if (!std::holds_alternative<graph::Conv>(graph_.nodes[i].operation)) continue;
          const DataType before = conv[i];
          conv[i] = before == DataType::f32 ? DataType::bf16 : DataType::f32;
          const double other = cost_of(conv);
          if (other < cost) {
            cost = other;
            changed = true;
          } else {
            conv[i] = before;
          }
        }
      }
      if (cost < least) {
        least = cost;
        best.value = value_types(conv);
        best.node.clear();
        for (std::size_t i = 0; i < conv.size(); ++i) {
          const bool bf16 = conv[i] == DataType::bf16 && std::holds_alternative<graph::Conv>(graph_.nodes[i].operation);
          best.node.push_back(bf16 ? Precision::bf16 : Precision::fp32);
        }
      }
    }
    return best;
  }

 private:
  struct Times {
    double fp32 = 0, bf16 = 0;
  };

  /// What a node wants one of its inputs to be.
  DataType wanted(std::size_t node, std::size_t input, const std::vector<DataType>& conv,
                  const std::vector<DataType>& value) const {
    const Node& reader = graph_.nodes[node];
    if (graph::reads_of(reader, input) == graph::Reads::integers) return DataType::i32;
    if (std::holds_alternative<graph::Conv>(reader.operation))
      return input == 0 ? conv[node] : value[at(reader.output())];
    return graph::keeps_type(reader.operation) ? value[at(reader.outputs[0])] : DataType::f32;
  }

  /// A bf16 convolution writes bf16 if nobody wants its numbers in fp32; what passes a type on wants what its own
  /// readers want, so values are settled from the last to the first.
  std::vector<DataType> value_types(const std::vector<DataType>& conv) const {
    std::vector<DataType> value(graph_.values.size(), DataType::bf16);
    for (const ValueId output : graph_.outputs) value[at(output)] = DataType::f32;
    for (std::size_t v = 0; v < value.size(); ++v)
      if (is_integer(static_cast<ValueId>(v))) value[v] = DataType::i32;
    for (std::size_t i = graph_.nodes.size(); i-- > 0;) {
      const Node& node = graph_.nodes[i];
      const bool may_be_bf16 = graph::keeps_type(node.operation) ||
                               (std::holds_alternative<graph::Conv>(node.operation) && conv[i] == DataType::bf16);
      for (const ValueId output : node.outputs)
        if ((!may_be_bf16 || extents_[at(output)].list) && !is_integer(output)) value[at(output)] = DataType::f32;
      for (std::size_t j = 0; j < node.inputs.size(); ++j)
        if (graph::reads_numbers(node, j) && wanted(i, j, conv, value) == DataType::f32)
          value[at(node.inputs[j])] = DataType::f32;
    }
    return value;
  }

  bool is_integer(ValueId value) const { return extents_[at(value)].element == graph::Element::integer; }

  double cost_of(const std::vector<DataType>& conv) const {
    constexpr double bytes_per_second = 8e9;  // of a conversion, read and written, as measured on a server's core
    const std::vector<DataType> value = value_types(conv);
    double cost = 0;
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      const Node& node = graph_.nodes[i];
      if (std::holds_alternative<graph::Conv>(node.operation))
        cost += conv[i] == DataType::f32 ? times_[i].fp32 : times_[i].bf16;
    }
    for (std::size_t v = 0; v < value.size(); ++v) {
      bool other = false;
      for (const int reader : graph_.consumers(static_cast<ValueId>(v))) {
        const Node& node = graph_.nodes[at(reader)];
        for (std::size_t j = 0; j < node.inputs.size(); ++j)
          other = other || (node.inputs[j] == static_cast<ValueId>(v) && graph::reads_numbers(node, j) &&
                            wanted(at(reader), j, conv, value) != value[v]);
      }
      if (other) cost += 6.0 * static_cast<double>(extents_[v].elements()) / bytes_per_second;
    }
    return cost;
  }

  const Graph& graph_;
  const std::vector<graph::Extent>& extents_;
  std::vector<Times> times_;
};

}  // namespace

PrecisionPlan fp32_plan(const Graph& graph, const std::vector<graph::Extent>& extents) {
  PrecisionPlan plan;
  for (const graph::Extent& extent : extents)
    plan.value.push_back(extent.element == graph::Element::integer ? DataType::i32 : DataType::f32);
  plan.node.assign(graph.nodes.size(), Precision::fp32);
  return plan;
}

PrecisionPlan bf16_plan(const Graph& graph, const std::vector<graph::Extent>& extents, ConvChooser& chooser,
                        int threads) {
  if (!chooser.bf16_pays(threads)) return fp32_plan(graph, extents);
  return Search(graph, extents, chooser, threads).run();
}

}  // namespace maskrt::cpu
