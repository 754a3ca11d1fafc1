#include "dataset_categories.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "coco_categories.h"
#include "labels.h"

namespace maskrt::weights {
namespace {

std::vector<Category> things_of(std::vector<Category> categories) {
  std::erase_if(categories, [](const Category& category) { return !category.is_thing; });
  return categories;
}

// A dataset's splits begin with one name: "cityscapes_fine_instance_seg_train".
struct Dataset {
  std::string_view name, end = {};  ///< what a split's name begins with, and what it has after that
  std::vector<Category> (*categories)();
};

// The first that fits counts.
const Dataset kDatasets[] = {
    {"coco_2017_", "_panoptic", coco_panoptic_categories},
    {"coco_2014_", {}, coco_categories},
    {"coco_2017_", {}, coco_categories},
    {"cityscapes_fine_instance_seg_", {}, [] { return things_of(cityscapes_categories()); }},
    {"cityscapes_fine_", {}, cityscapes_categories},
    {"ade20k_instance_", {}, [] { return things_of(ade20k_categories()); }},
    {"ade20k_panoptic_", {}, ade20k_categories},
    {"ade20k_sem_seg_", {}, ade20k_categories},
};

}  // namespace

std::vector<Category> dataset_categories(const std::vector<std::string>& datasets, int classes) {
  if (datasets.empty()) return default_categories(classes);
  const std::string_view name = datasets.front();
  for (const Dataset& dataset : kDatasets) {
    if (!name.starts_with(dataset.name) || name.find(dataset.end, dataset.name.size()) == name.npos) continue;
    std::vector<Category> categories = dataset.categories();
    if (categories.size() == static_cast<std::size_t>(classes)) return categories;
    break;
  }
  return default_categories(classes);
}

}  // namespace maskrt::weights
