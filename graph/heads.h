// The heads that there are, and what holds for each of them.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "graph.h"
#include "graph/heads/fast_inst.h"
#include "graph/heads/sparse_inst.h"
#include "graph/heads/values.h"

namespace maskrt::graph {

template <HeadKind... Heads>
using OneHead = std::variant<Heads...>;
/// What a network's outputs mean. Whoever does something with heads visits all of them, so that one that is forgotten
/// does not compile.
using Head = OneHead<ValuesHead, SparseInstHead, FastInstHead>;

/// A default of every kind, in the order of the variant.
inline const auto& every_head() {
  static const auto all = []<std::size_t... index>(std::index_sequence<index...>) {
    return std::array<Head, sizeof...(index)>{Head(std::in_place_index<index>)...};
  }
  (std::make_index_sequence<std::variant_size_v<Head>>());
  return all;
}

std::string_view name_of(const Head& head);
std::span<const Task> tasks_of(const Head& head);
/// The values that a head reads, in its own order.
std::vector<ValueId> values_of(const Head& head);
/// The list of its queries that are made of features under instance activation maps; -1: it has none.
ValueId queries_of(const Head& head);
/// Shows each setting of a head, const or not, to a HeadVisitor or who looks like one.
template <typename AnyHead, typename Visitor>
void visit_settings(AnyHead& head, Visitor&& visitor) {
  std::visit([&](auto& kind) { kind.visit_settings(kind, visitor); }, head);
}

/// Tells a head that makes a difference between things and stuff which of its classes are which.
void set_things(Head& head, std::span<const Category> categories);

/// Throws Error unless the values that a head reads are what it takes for granted: channels are known when a model is
/// loaded, everything is checked again for each plan. `extents` is indexed by ValueId.
void check(const Head& head, const Graph& graph, const std::vector<Extent>& extents);
/// How many categories a model with this head names; nullopt: it does not matter. For a head that check() has passed.
std::optional<std::int64_t> categories_of(const Head& head, const Graph& graph, const std::vector<Extent>& extents);

/// A network as a device compiles it: its graph after the rewrites, what its outputs mean, and which outputs are wanted
/// beside the head's. Whatever the head reads is an output of the graph.
struct LoweredNetwork {
  LoweredNetwork(Graph g, Head h = {}, std::vector<ValueId> k = {})
      : graph(std::move(g)), head(std::move(h)), kept(std::move(k)) {}

  Graph graph;
  Head head;
  std::vector<ValueId> kept;  ///< outputs of the graph that detecting computes though the head does not need them
};

}  // namespace maskrt::graph
