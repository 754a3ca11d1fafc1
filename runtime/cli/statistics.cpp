#include "statistics.h"

#include <algorithm>
#include <cstddef>

namespace maskrt::cli {

double quantile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  const double position = share * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (position - static_cast<double>(below)) * (values[above] - values[below]);
}

Spread spread_of(const std::vector<double>& seconds) {
  const auto milliseconds = [&](double share) { return 1e3 * quantile(seconds, share); };
  return {milliseconds(0.5), milliseconds(0.1), milliseconds(0.9), milliseconds(0.99), seconds.size()};
}

}  // namespace maskrt::cli
