#include "activation_picture.h"

#include <vector>

#include "heat.h"

namespace maskrt::cli {

Canvas activation_picture(const Canvas& picture, const ActivationMaps& maps, int query) {
  constexpr int gap = 4;
  const std::vector<int> of_query = maps.maps_of(query);
  const Tiles tiles = tiles_in_a_row(picture.width(), picture.height(), of_query.size(), gap);
  Canvas canvas = tiles.sheet();
  for (std::size_t i = 0; i < of_query.size(); ++i)
    draw_heat(canvas, tiles.box(i), maps.over_image(of_query[i], picture.width(), picture.height()), &picture);
  return canvas;
}

}  // namespace maskrt::cli
