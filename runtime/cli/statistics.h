// Median and spread of measured times.
#pragma once

#include <vector>

namespace maskrt::cli {

/// Of `values`, which must not be empty: the value below which `share` of them lie, interpolated between neighbours.
double quantile(std::vector<double> values, double share);

/// Milliseconds.
struct Spread {
  double median = 0, p10 = 0, p90 = 0, p99 = 0;
  std::size_t runs = 0;
};

Spread spread_of(const std::vector<double>& seconds);

}  // namespace maskrt::cli
