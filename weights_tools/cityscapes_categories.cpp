// The 19 classes of Cityscapes that are evaluated, by the ids that its label maps have.
#include "dataset_categories.h"

namespace maskrt::weights {

// clang-format off
std::vector<Category> cityscapes_categories() {
  return {
    {7, "road", false, {128, 64, 128}}, {8, "sidewalk", false, {244, 35, 232}}, {11, "building", false, {70, 70, 70}},
    {12, "wall", false, {102, 102, 156}}, {13, "fence", false, {190, 153, 153}}, {17, "pole", false, {153, 153, 153}},
    {19, "traffic light", false, {250, 170, 30}}, {20, "traffic sign", false, {220, 220, 0}},
    {21, "vegetation", false, {107, 142, 35}}, {22, "terrain", false, {152, 251, 152}},
    {23, "sky", false, {70, 130, 180}}, {24, "person", true, {220, 20, 60}}, {25, "rider", true, {255, 0, 0}},
    {26, "car", true, {0, 0, 142}}, {27, "truck", true, {0, 0, 70}}, {28, "bus", true, {0, 60, 100}},
    {31, "train", true, {0, 80, 100}}, {32, "motorcycle", true, {0, 0, 230}}, {33, "bicycle", true, {119, 11, 32}},
  };
}
// clang-format on

}  // namespace maskrt::weights
