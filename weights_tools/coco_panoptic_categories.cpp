// The 133 classes of COCO's panoptic annotations: its 80 things, then 53 kinds of stuff.
#include "dataset_categories.h"

namespace maskrt::weights {

// clang-format off
std::vector<Category> coco_panoptic_categories() {
  return {
    {1, "person", true, {220, 20, 60}}, {2, "bicycle", true, {119, 11, 32}}, {3, "car", true, {0, 0, 142}},
    {4, "motorcycle", true, {0, 0, 230}}, {5, "airplane", true, {106, 0, 228}}, {6, "bus", true, {0, 60, 100}},
    {7, "train", true, {0, 80, 100}}, {8, "truck", true, {0, 0, 70}}, {9, "boat", true, {0, 0, 192}},
    {10, "traffic light", true, {250, 170, 30}}, {11, "fire hydrant", true, {100, 170, 30}},
    {13, "stop sign", true, {220, 220, 0}}, {14, "parking meter", true, {175, 116, 175}},
    {15, "bench", true, {250, 0, 30}}, {16, "bird", true, {165, 42, 42}}, {17, "cat", true, {255, 77, 255}},
    {18, "dog", true, {0, 226, 252}}, {19, "horse", true, {182, 182, 255}}, {20, "sheep", true, {0, 82, 0}},
    {21, "cow", true, {120, 166, 157}}, {22, "elephant", true, {110, 76, 0}}, {23, "bear", true, {174, 57, 255}},
    {24, "zebra", true, {199, 100, 0}}, {25, "giraffe", true, {72, 0, 118}}, {27, "backpack", true, {255, 179, 240}},
    {28, "umbrella", true, {0, 125, 92}}, {31, "handbag", true, {209, 0, 151}}, {32, "tie", true, {188, 208, 182}},
    {33, "suitcase", true, {0, 220, 176}}, {34, "frisbee", true, {255, 99, 164}}, {35, "skis", true, {92, 0, 73}},
    {36, "snowboard", true, {133, 129, 255}}, {37, "sports ball", true, {78, 180, 255}},
    {38, "kite", true, {0, 228, 0}}, {39, "baseball bat", true, {174, 255, 243}},
    {40, "baseball glove", true, {45, 89, 255}}, {41, "skateboard", true, {134, 134, 103}},
    {42, "surfboard", true, {145, 148, 174}}, {43, "tennis racket", true, {255, 208, 186}},
    {44, "bottle", true, {197, 226, 255}}, {46, "wine glass", true, {171, 134, 1}}, {47, "cup", true, {109, 63, 54}},
    {48, "fork", true, {207, 138, 255}}, {49, "knife", true, {151, 0, 95}}, {50, "spoon", true, {9, 80, 61}},
    {51, "bowl", true, {84, 105, 51}}, {52, "banana", true, {74, 65, 105}}, {53, "apple", true, {166, 196, 102}},
    {54, "sandwich", true, {208, 195, 210}}, {55, "orange", true, {255, 109, 65}},
    {56, "broccoli", true, {0, 143, 149}}, {57, "carrot", true, {179, 0, 194}}, {58, "hot dog", true, {209, 99, 106}},
    {59, "pizza", true, {5, 121, 0}}, {60, "donut", true, {227, 255, 205}}, {61, "cake", true, {147, 186, 208}},
    {62, "chair", true, {153, 69, 1}}, {63, "couch", true, {3, 95, 161}}, {64, "potted plant", true, {163, 255, 0}},
    {65, "bed", true, {119, 0, 170}}, {67, "dining table", true, {0, 182, 199}}, {70, "toilet", true, {0, 165, 120}},
    {72, "tv", true, {183, 130, 88}}, {73, "laptop", true, {95, 32, 0}}, {74, "mouse", true, {130, 114, 135}},
    {75, "remote", true, {110, 129, 133}}, {76, "keyboard", true, {166, 74, 118}},
    {77, "cell phone", true, {219, 142, 185}}, {78, "microwave", true, {79, 210, 114}},
    {79, "oven", true, {178, 90, 62}}, {80, "toaster", true, {65, 70, 15}}, {81, "sink", true, {127, 167, 115}},
    {82, "refrigerator", true, {59, 105, 106}}, {84, "book", true, {142, 108, 45}},
    {85, "clock", true, {196, 172, 0}}, {86, "vase", true, {95, 54, 80}}, {87, "scissors", true, {128, 76, 255}},
    {88, "teddy bear", true, {201, 57, 1}}, {89, "hair drier", true, {246, 0, 122}},
    {90, "toothbrush", true, {191, 162, 208}}, {92, "banner", false, {255, 255, 128}},
    {93, "blanket", false, {147, 211, 203}}, {95, "bridge", false, {150, 100, 100}},
    {100, "cardboard", false, {168, 171, 172}}, {107, "counter", false, {146, 112, 198}},
    {109, "curtain", false, {210, 170, 100}}, {112, "door-stuff", false, {92, 136, 89}},
    {118, "floor-wood", false, {218, 88, 184}}, {119, "flower", false, {241, 129, 0}},
    {122, "fruit", false, {217, 17, 255}}, {125, "gravel", false, {124, 74, 181}},
    {128, "house", false, {70, 70, 70}}, {130, "light", false, {255, 228, 255}},
    {133, "mirror-stuff", false, {154, 208, 0}}, {138, "net", false, {193, 0, 92}},
    {141, "pillow", false, {76, 91, 113}}, {144, "platform", false, {255, 180, 195}},
    {145, "playingfield", false, {106, 154, 176}}, {147, "railroad", false, {230, 150, 140}},
    {148, "river", false, {60, 143, 255}}, {149, "road", false, {128, 64, 128}}, {151, "roof", false, {92, 82, 55}},
    {154, "sand", false, {254, 212, 124}}, {155, "sea", false, {73, 77, 174}}, {156, "shelf", false, {255, 160, 98}},
    {159, "snow", false, {255, 255, 255}}, {161, "stairs", false, {104, 84, 109}},
    {166, "tent", false, {169, 164, 131}}, {168, "towel", false, {225, 199, 255}},
    {171, "wall-brick", false, {137, 54, 74}}, {175, "wall-stone", false, {135, 158, 223}},
    {176, "wall-tile", false, {7, 246, 231}}, {177, "wall-wood", false, {107, 255, 200}},
    {178, "water-other", false, {58, 41, 149}}, {180, "window-blind", false, {183, 121, 142}},
    {181, "window-other", false, {255, 73, 97}}, {184, "tree-merged", false, {107, 142, 35}},
    {185, "fence-merged", false, {190, 153, 153}}, {186, "ceiling-merged", false, {146, 139, 141}},
    {187, "sky-other-merged", false, {70, 130, 180}}, {188, "cabinet-merged", false, {134, 199, 156}},
    {189, "table-merged", false, {209, 226, 140}}, {190, "floor-other-merged", false, {96, 36, 108}},
    {191, "pavement-merged", false, {96, 96, 96}}, {192, "mountain-merged", false, {64, 170, 64}},
    {193, "grass-merged", false, {152, 251, 152}}, {194, "dirt-merged", false, {208, 229, 228}},
    {195, "paper-merged", false, {206, 186, 171}}, {196, "food-other-merged", false, {152, 161, 64}},
    {197, "building-other-merged", false, {116, 112, 0}}, {198, "rock-merged", false, {0, 114, 143}},
    {199, "wall-other-merged", false, {102, 102, 156}}, {200, "rug-merged", false, {250, 141, 255}},
  };
}
// clang-format on

}  // namespace maskrt::weights
