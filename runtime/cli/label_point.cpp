#include "label_point.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "distance.h"

namespace maskrt::cli {
namespace {

constexpr int kMostCells = 48;

}  // namespace

Pixel deep_point(const Mask& mask, const PixelBox& box) {
  const int step = std::max(1, (std::max(box.width, box.height) + kMostCells - 1) / kMostCells);
  const int columns = (box.width + step - 1) / step, rows = (box.height + step - 1) / step;
  // Each cell is as the pixel in its middle, and cells around the box are empty, so that depth has an edge to count
  // from.
  const int wide = columns + 2, high = rows + 2;
  std::vector<std::uint8_t> cells(static_cast<std::size_t>(wide) * static_cast<std::size_t>(high));
  const auto middle = [step](int start, int extent, int cell) {
    return start + std::min(cell * step + step / 2, extent - 1);
  };
  for (int row = 0; row < rows; ++row)
    for (int column = 0; column < columns; ++column)
      cells[static_cast<std::size_t>((row + 1) * wide + column + 1)] =
          mask.at(middle(box.x, box.width, column), middle(box.y, box.height, row)) ? 1 : 0;

  if (std::count(cells.begin(), cells.end(), 1) == 0) {  // thin parts that the grid fell beside
    for (int y = box.y; y < box.y + box.height; ++y)
      for (int x = box.x; x < box.x + box.width; ++x)
        if (mask.at(x, y)) return {x, y};
  }
  const std::vector<float> depth = signed_distance(cells, wide, high);
  const auto deepest = static_cast<int>(std::max_element(depth.begin(), depth.end()) - depth.begin());
  return {middle(box.x, box.width, deepest % wide - 1), middle(box.y, box.height, deepest / wide - 1)};
}

Pixel label_point(const Mask& mask, const PixelBox& box) {
  Pixel point = deep_point(mask, box);
  while (point.y > 0 && mask.at(point.x, point.y - 1)) --point.y;
  return point;
}

}  // namespace maskrt::cli
