// No head: a network that is run for the numbers of its values alone.
#pragma once

#include "graph/head.h"

namespace maskrt::graph {

/// Its outputs are values that people look at (Session::tensors), and nothing is found in them.
struct ValuesHead {
  static constexpr std::string_view name = "values";
  static constexpr int version = 1;

  std::span<const Task> tasks() const { return {}; }
  static void visit_values(auto&, auto&&) {}
  static void visit_settings(auto&, auto&&) {}
  void check(const HeadValues&) const {}
  ValueId queries() const { return -1; }
  std::optional<std::int64_t> categories(const HeadValues&) const { return std::nullopt; }
};

}  // namespace maskrt::graph
