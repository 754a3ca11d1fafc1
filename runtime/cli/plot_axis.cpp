#include "plot_axis.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace maskrt::cli {
namespace {

constexpr double kIntervals = 6;    ///< about as many between ticks
constexpr double kRoom = 0.08;      ///< of the values' range, on either side
constexpr double kSameness = 1e-6;  ///< numbers whose range is a smaller part of them count as equal

/// The smallest of 1, 2, 5 times a power of ten that is no less.
double round_step(double least) {
  const double power = std::pow(10.0, std::floor(std::log10(least)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * power >= least * (1 - 1e-9)) return factor * power;
  return 10 * power;
}

}  // namespace

std::string PlotAxis::text(double tick) const {
  const int decimals = std::clamp(static_cast<int>(-std::floor(std::log10(step) + 1e-9)), 0, 12);
  char digits[64];
  std::snprintf(digits, sizeof digits, "%.*f", decimals, tick);
  return digits;
}

PlotAxis axis_around(const std::vector<double>& values) {
  double low = 0, high = 1;
  if (!values.empty()) {
    const auto [least, most] = std::minmax_element(values.begin(), values.end());
    low = *least;
    high = *most;
    const double largest = std::max(std::abs(low), std::abs(high));
    const bool same = high - low <= kSameness * largest;
    const double room = !same ? kRoom * (high - low) : largest > 0 ? largest / 4 : 1;
    const bool positive = low >= 0;
    low = positive ? std::max(0.0, low - room) : low - room;
    high += room;
  }
  PlotAxis axis;
  axis.step = round_step((high - low) / kIntervals);
  const double first = std::floor(low / axis.step + 1e-9), last = std::ceil(high / axis.step - 1e-9);
  for (double tick = first; tick <= last; ++tick) axis.ticks.push_back(tick * axis.step);
  return axis;
}

}  // namespace maskrt::cli
