#include "activation_source.h"

#include <variant>

namespace maskrt::graph {
namespace {

template <typename Kind>
const Kind* made_by(const Graph& graph, ValueId value) {
  const int maker = graph.producer(value);
  return maker < 0 ? nullptr : std::get_if<Kind>(&graph.nodes[static_cast<std::size_t>(maker)].operation);
}

ValueId read_by_maker(const Graph& graph, ValueId value) {
  return graph.nodes[static_cast<std::size_t>(graph.producer(value))].inputs[0];
}

/// None where it would be the network's input, which devices have no copy of.
std::optional<ActivationSource> usable(const Graph& graph, const ActivationSource& source) {
  if (made_by<Input>(graph, source.value) != nullptr) return std::nullopt;
  return source;
}

/// From the maps that an Aggregate reads to what they are computed of.
void look_behind(const Graph& graph, ValueId maps, ActivationSource& source) {
  source.value = maps;
  if (made_by<SoftmaxMaps>(graph, maps) != nullptr) {
    source.value = read_by_maker(graph, maps);
    source.activation = MapActivation::softmax;
  } else if (made_by<NormaliseMaps>(graph, maps) != nullptr) {
    source.value = read_by_maker(graph, maps);
    const auto* const activate = made_by<Activate>(graph, source.value);
    if (activate == nullptr || activate->activation != Activation::sigmoid) return;
    source.value = read_by_maker(graph, source.value);
    source.activation = MapActivation::sigmoid;
  }
}

}  // namespace

std::vector<std::int64_t> ActivationSource::maps_of(std::int64_t n, std::int64_t maps) const {
  const std::int64_t parts = blocks * queries_of(maps);
  std::vector<std::int64_t> found;
  for (std::int64_t k = 0; k < blocks; ++k) {
    // Part i of the list is from i * maps / parts to (i + 1) * maps / parts, counted in features of whole maps.
    const std::int64_t begin = (k * queries_of(maps) + n) * maps, end = begin + maps;
    for (std::int64_t map = begin / parts; map * parts < end; ++map)
      if (found.empty() || found.back() < map) found.push_back(map);
  }
  return found;
}

std::optional<ActivationSource> activation_source(const Graph& graph, const Head& head) {
  ActivationSource source;
  const auto regroup = [&](std::int64_t blocks, std::int64_t instances) {
    const bool first = source.queries == 0;
    source.blocks = blocks;
    source.queries = instances;
    return first;
  };
  // Each step goes to a value made earlier, so that this ends.
  for (ValueId value = queries_of(head); value >= 0 && graph.producer(value) >= 0;
       value = read_by_maker(graph, value)) {
    if (made_by<Linear>(graph, value) != nullptr || made_by<Activate>(graph, value) != nullptr) continue;
    if (const auto* const op = made_by<Regroup>(graph, value)) {
      if (!regroup(op->blocks, op->instances)) break;
    } else if (const auto* const heads = made_by<LinearHeads>(graph, value)) {
      if (heads->blocks != 0 && !regroup(heads->blocks, heads->instances)) break;
    } else if (made_by<Aggregate>(graph, value) != nullptr) {
      look_behind(graph, read_by_maker(graph, value), source);
      return usable(graph, source);
    } else if (const auto* const fused = made_by<AggregateLogits>(graph, value)) {
      if (fused->bias && !fused->softmax) break;  // no value of the graph is the logits
      source.value = read_by_maker(graph, value);
      source.activation = fused->softmax ? MapActivation::softmax : MapActivation::sigmoid;
      return usable(graph, source);
    } else {
      break;
    }
  }
  return std::nullopt;
}

}  // namespace maskrt::graph
