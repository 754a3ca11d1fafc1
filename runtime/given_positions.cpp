#include "given_positions.h"

#include <cstddef>
#include <cstdint>
#include <variant>

namespace maskrt {
namespace {

/// "2x100", images and queries.
std::string count_text(std::int64_t images, std::int64_t queries) {
  return std::to_string(images) + "x" + std::to_string(queries);
}

/// How many positions there are to select from.
std::int64_t positions_of_map(const graph::Graph& graph, graph::ValueId selected, const Program& program) {
  const graph::Extent& input = program.input.extent;
  const int maker = graph.producer(selected);
  const std::vector<graph::Extent> extents = graph::infer_extents(graph, input.batch, input.height, input.width);
  const graph::ValueId scores = graph.nodes.at(static_cast<std::size_t>(maker)).inputs.at(0);
  const graph::Extent& extent = extents.at(static_cast<std::size_t>(scores));
  return extent.height * extent.width;
}

}  // namespace

GivenPositions given_positions(const QueryPositions& given, const Program& program, const graph::Graph& graph) {
  const auto* const head = std::get_if<graph::FastInstHead>(&program.head);
  if (head == nullptr)
    throw Error(given.name + ": expected a network that selects queries (head FastInst), found one with head " +
                std::string(graph::name_of(program.head)));
  const graph::Extent& extent = program.head_values.at(head->query_positions).extent;
  if (given.images != extent.batch || given.queries != extent.height)
    throw Error(given.name + ": expected " + count_text(extent.batch, extent.height) +
                " (images of the batch, queries of the network), found " + count_text(given.images, given.queries));
  if (static_cast<std::int64_t>(given.values.size()) != extent.batch * extent.height)
    throw Error(given.name + ": expected " + std::to_string(extent.batch * extent.height) + " positions, found " +
                std::to_string(given.values.size()));
  const std::int64_t places = positions_of_map(graph, head->query_positions, program);
  GivenPositions checked;
  checked.value = graph.values[static_cast<std::size_t>(head->query_positions)].name;
  for (std::size_t i = 0; i < given.values.size(); ++i) {
    const auto queries = static_cast<std::size_t>(given.queries);
    if (given.values[i] < 0 || given.values[i] >= places)
      throw Error(given.name + ": expected positions from 0 to " + std::to_string(places - 1) +
                  ", which the network's map has, found " + std::to_string(given.values[i]) + " at query " +
                  std::to_string(i % queries) + " of image " + std::to_string(i / queries));
    checked.positions.push_back(static_cast<float>(given.values[i]));
  }
  return checked;
}

}  // namespace maskrt
