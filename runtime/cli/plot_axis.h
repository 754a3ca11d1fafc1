// Which part of the numbers an axis shows, and where its ticks are.
#pragma once

#include <string>
#include <vector>

namespace maskrt::cli {

/// Ticks at multiples of 1, 2 or 5 times a power of ten, from the first to the last of which the axis reaches.
struct PlotAxis {
  double step = 1;
  std::vector<double> ticks;  ///< ascending, 2 at least

  double low() const { return ticks.front(); }
  double high() const { return ticks.back(); }
  /// With as many decimals as the step has: "0.65".
  std::string text(double tick) const;
};

/// An axis with some room around `values`, which are finite; it does not go below zero where they do not. Where they
/// are all the same, or there is none, it shows the surroundings of that number, or of 0 to 1.
PlotAxis axis_around(const std::vector<double>& values);

}  // namespace maskrt::cli
