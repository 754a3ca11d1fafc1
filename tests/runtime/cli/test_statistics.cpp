// Figures of repeated measurements.
#include <catch2/catch.hpp>

#include "runtime/cli/statistics.h"

using namespace maskrt::cli;

TEST_CASE("Quantiles interpolate between neighbours") {
  CHECK(quantile({4, 1, 3, 2}, 0.5) == Approx(2.5));
  CHECK(quantile({5}, 0.9) == 5);
  CHECK(quantile({10, 20}, 0.1) == Approx(11));
  CHECK(quantile({3, 1, 2}, 1.0) == 3);
  const Spread spread = spread_of({0.003, 0.001, 0.002});
  CHECK(spread.median == Approx(2));
  CHECK(spread.p10 == Approx(1.2));
  CHECK(spread.p90 == Approx(2.8));
  CHECK(spread.p99 == Approx(2.98));
  CHECK(spread.runs == 3);
}
