// A figure of points that a line connects, as SVG.
#pragma once

#include <string>
#include <vector>

namespace maskrt::cli {

struct PlotPoint {
  double x = 0, y = 0;
  std::string label;
};

struct LinePlot {
  std::string title, subtitle;
  std::string x_axis, y_axis;  ///< what the axes show, with their units
  std::vector<PlotPoint> points;
};

/// A standalone SVG file of one figure: axes with round ticks, the points in the order of x with a line through them,
/// and their labels, none of which covers another or a point; a label for which there is no such place is left out, and
/// a browser still shows it where the pointer rests on the point. Points whose x or y is not finite have no place:
/// their labels are named below the figure. Texts may hold any bytes.
std::string svg_of(const LinePlot& plot);

}  // namespace maskrt::cli
