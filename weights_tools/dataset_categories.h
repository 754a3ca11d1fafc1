// The classes of public datasets, and which of them a network has by its dataset's name.
#pragma once

#include <string>
#include <vector>

#include "maskrt/types.hpp"

namespace maskrt::weights {

// All of a dataset's classes in the order of their ids, things and stuff, with its colours.
std::vector<Category> coco_panoptic_categories();  ///< 133
std::vector<Category> cityscapes_categories();     ///< 19
std::vector<Category> ade20k_categories();         ///< 150

/// The classes of a network that was trained on the first of these datasets, called as detectron2 and projects on it
/// call them ("coco_2017_train_panoptic"): the dataset's, its things where it was trained on instances alone. For
/// other datasets, and where the number of classes is not the dataset's, default_categories (labels.h): all things.
std::vector<Category> dataset_categories(const std::vector<std::string>& datasets, int classes);

}  // namespace maskrt::weights
