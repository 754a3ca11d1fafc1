// What every head tells about itself, in one place each (heads/): which values of the network it reads, its settings,
// and what it finds in them.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "maskrt/types.hpp"
#include "op.h"

namespace maskrt::graph {

/// Index of a value in Graph::values.
using ValueId = int;

/// The extents of the values that a head reads, for its own checks. Every Error names the head.
class HeadValues {
 public:
  HeadValues(std::string_view head, const Graph& graph, const std::vector<Extent>& extents)
      : head_(head), graph_(graph), extents_(extents) {}

  /// The extent of a value. `role` is the head's word for it ("class_logits"), `expected` says what it has to be: "a
  /// list of the queries' class logits". Throw Error where there is no such value, or where it is not of that kind.
  const Extent& list(const char* role, ValueId value, const std::string& expected) const;
  const Extent& map(const char* role, ValueId value, const std::string& expected) const;
  /// Throws Error unless `fits`.
  void expect(bool fits, const char* role, ValueId value, const std::string& expected) const;

  const Extent& of(ValueId value) const { return extents_[static_cast<std::size_t>(value)]; }

 private:
  void find(const char* role, ValueId value) const;
  [[noreturn]] void refuse(const char* role, ValueId value, const std::string& expected) const;

  std::string_view head_;
  const Graph& graph_;
  const std::vector<Extent>& extents_;
};

/// Called by visit_values() and visit_settings() for each value that a head reads and each setting that a model file
/// has, by name. This one does nothing with any.
struct HeadVisitor {
  void value(const char* /*role*/, ValueId /*value*/) {}
  void real(const char* /*name*/, float /*value*/, double /*low*/, double /*high*/) {}
  void integer(const char* /*name*/, int /*value*/, int /*low*/, int /*high*/) {}
  void boolean(const char* /*name*/, bool /*value*/) {}
};

/// What a head has to have; nothing has a default, so that whoever adds one decides on all of it.
template <typename T>
concept HeadKind = std::default_initializable<T> && std::copyable<T> &&
    requires(const T& head, T& changing, HeadVisitor visitor, const HeadValues& values) {
  /// What listings and the model file call it: "SparseInst".
  { T::name } -> std::convertible_to<std::string_view>;
  /// Of its values and settings in the model file: one more for each that older readers must not leave out.
  { T::version } -> std::convertible_to<int>;
  /// What it finds; none: the network is run for the numbers of its values alone.
  { head.tasks() } -> std::same_as<std::span<const Task>>;
  /// Whether it is a `const T` or a `T`: the visitor may set what it is shown of the latter.
  T::visit_values(head, visitor);
  T::visit_values(changing, visitor);
  /// Each setting has a default, its member's initialiser, for files that lack it.
  T::visit_settings(head, visitor);
  T::visit_settings(changing, visitor);
  /// Throws Error through `values` where the values are not what the head takes for granted when it addresses them.
  head.check(values);
  /// The value in which each row is a query, where such rows are made of features that were gathered for each query
  /// under instance activation maps (activation_source.h); -1 for any other head.
  { head.queries() } -> std::same_as<ValueId>;
  /// How many categories a model with this head names; nullopt: it does not matter. `values` were checked.
  { head.categories(values) } -> std::same_as<std::optional<std::int64_t>>;
};

}  // namespace maskrt::graph
