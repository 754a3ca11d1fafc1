// Two graphs on the same input.
#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "support/interpreter.h"

namespace maskrt::testing {

/// Weights of the tests are exact, so both graphs compute the same real numbers in double, in another order. A sum of n
/// terms then differs by at most n eps of the sum of its terms' magnitudes; along a network of 40 layers of at most 250
/// terms each, and with a factor of 10 for cancellation, that is 40 * 250 * 10 * 1.1e-16 of the largest value.
constexpr double kExactBound = 40 * 250 * 10 * 1.1e-16;

/// Each number within `relative` of the largest magnitude that was wanted.
inline void require_close(const Map& got, const Map& want, const std::string& what, double relative = kExactBound) {
  INFO(what);
  REQUIRE(got.extent == want.extent);
  double largest = 0;
  for (const double value : want.data) largest = std::max(largest, std::abs(value));
  const double bound = relative * largest;
  for (std::size_t i = 0; i < want.data.size(); ++i) {
    if (std::abs(got.data[i] - want.data[i]) <= bound) continue;
    const auto& e = want.extent;
    const auto at = static_cast<std::int64_t>(i);
    FAIL("value " << what << " at (" << at / (e.height * e.width * e.channels) << ", "
                  << at / (e.width * e.channels) % e.height << ", " << at / e.channels % e.width << ", "
                  << at % e.channels << "): got " << got.data[i] << ", want " << want.data[i] << ", bound " << bound);
  }
}

/// Every output of `before` is an output of `after`, by name and with the same numbers. `values` are before's.
inline void require_same_outputs(const graph::Graph& before, const std::vector<Map>& values, const graph::Graph& after,
                                 double relative = kExactBound) {
  const auto rewritten = interpret(after, values[static_cast<std::size_t>(before.nodes[0].output())]);
  REQUIRE(after.outputs.size() == before.outputs.size());
  for (std::size_t i = 0; i < before.outputs.size(); ++i) {
    const auto want = static_cast<std::size_t>(before.outputs[i]), got = static_cast<std::size_t>(after.outputs[i]);
    REQUIRE(after.values[got].name == before.values[want].name);
    require_close(rewritten[got], values[want], before.values[want].name, relative);
  }
}

/// How many nodes there are of one kind.
template <typename Kind>
int count_of(const graph::Graph& graph) {
  return static_cast<int>(std::count_if(graph.nodes.begin(), graph.nodes.end(), [](const graph::Node& node) {
    return std::holds_alternative<Kind>(node.operation);
  }));
}

}  // namespace maskrt::testing
