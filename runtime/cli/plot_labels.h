// Where the labels of a figure's points stand.
#pragma once

#include <optional>
#include <vector>

namespace maskrt::cli {

struct PlotPlace {
  double x = 0, y = 0;
};

/// A rectangle, its upper left corner first.
struct PlotBox {
  double x = 0, y = 0, width = 0, height = 0;

  PlotPlace center() const { return {x + width / 2, y + height / 2}; }
  bool contains(const PlotBox& other) const;
  bool meets(const PlotBox& other) const;
  /// Whether any part of the line from `a` to `b` lies inside.
  bool meets(PlotPlace a, PlotPlace b) const;
  /// The place of the box that is nearest.
  PlotPlace nearest(PlotPlace place) const;
};

/// A label's box, and whether a line should lead to it from its point, as it does not stand beside it.
struct PlacedLabel {
  PlotBox box;
  bool led = false;
};

/// A place inside `frame` for the label of each of `points`, markers of that radius that a line connects in their
/// order. Labels are `sizes` (x and y 0). No two labels, no label and marker, and no label and another's leading line
/// meet; nor do labels and the connecting line where there is another place nearby. Nothing for a label without such a
/// place.
std::vector<std::optional<PlacedLabel>> place_labels(const std::vector<PlotPlace>& points, double radius,
                                                     const std::vector<PlotBox>& sizes, const PlotBox& frame);

}  // namespace maskrt::cli
