// Where a network's instance activation maps come from: the value they are computed of, and which of them are a
// query's.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "graph.h"
#include "heads.h"

namespace maskrt::graph {

/// What makes a map's numbers of its value's.
enum class MapActivation : std::uint8_t {
  none,
  sigmoid,  ///< of each number
  softmax,  ///< of each map, over its positions
};

/// The instance activation maps with which a network gathers the features of its queries: M maps for N queries, before
/// they are divided by their sums.
///
/// The features of all maps are a list [M, C], which a Regroup reads row-major as [blocks, N, M * C / (blocks * N)]: a
/// query has one part of each block. Where M is blocks * N, as in networks of as many blocks as groups, that is map
/// k * N + n in block k for query n. Otherwise parts are shorter or longer than the features of a map: with 2 groups
/// and 4 blocks each is half of them, and two queries share a map.
struct ActivationSource {
  ValueId value = -1;  ///< a map [B, h, w, M]; of the plain graph, no rewrite removes it once it is an output
  MapActivation activation = MapActivation::none;
  std::int64_t blocks = 1;
  std::int64_t queries = 0;  ///< N; 0: as many as there are maps

  std::int64_t queries_of(std::int64_t maps) const { return queries == 0 ? maps : queries; }
  /// The maps, of `maps` in all, whose features are a part of what query n is made of, ascending. `n` is one of
  /// queries_of(maps).
  std::vector<std::int64_t> maps_of(std::int64_t n, std::int64_t maps) const;
};

/// Found from the head's queries backwards through the layers that make them of aggregated features; nullopt where that
/// is not what they are made of, or where the maps are the network's input itself.
std::optional<ActivationSource> activation_source(const Graph& graph, const Head& head);

}  // namespace maskrt::graph
