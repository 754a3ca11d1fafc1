// The classes of Cityscapes (Cordts et al., "The Cityscapes Dataset for Semantic Urban Scene Understanding", 2016).
#include "classes.h"

namespace maskrt::label_maps {

LabelClasses cityscapes_classes() {
  struct Scored {
    std::uint16_t id;
    const char* name;
    ClassColor color;
  };
  static const Scored scored[] = {
      {7, "road", {128, 64, 128}},
      {8, "sidewalk", {244, 35, 232}},
      {11, "building", {70, 70, 70}},
      {12, "wall", {102, 102, 156}},
      {13, "fence", {190, 153, 153}},
      {17, "pole", {153, 153, 153}},
      {19, "traffic light", {250, 170, 30}},
      {20, "traffic sign", {220, 220, 0}},
      {21, "vegetation", {107, 142, 35}},
      {22, "terrain", {152, 251, 152}},
      {23, "sky", {70, 130, 180}},
      {24, "person", {220, 20, 60}},
      {25, "rider", {255, 0, 0}},
      {26, "car", {0, 0, 142}},
      {27, "truck", {0, 0, 70}},
      {28, "bus", {0, 60, 100}},
      {31, "train", {0, 80, 100}},
      {32, "motorcycle", {0, 0, 230}},
      {33, "bicycle", {119, 11, 32}},
  };
  // unlabeled, ego vehicle, rectification border, out of roi, static, dynamic, ground, parking, rail track, guard rail,
  // bridge, tunnel, polegroup, caravan, trailer
  static const std::uint16_t not_scored[] = {0, 1, 2, 3, 4, 5, 6, 9, 10, 14, 15, 16, 18, 29, 30};

  LabelClasses table;
  table.name = "cityscapes";
  table.names = MapNames::cityscapes;
  for (const Scored& one : scored) {
    const auto index = static_cast<std::uint16_t>(table.classes.size());
    table.ids.set(one.id, index);
    table.indices.set(index, index);
    table.classes.push_back({one.name, one.color});
  }
  for (const std::uint16_t id : not_scored) table.ids.set(id, kIgnored);
  table.ignore(255);
  return table;
}

}  // namespace maskrt::label_maps
