// What a model's classes are called.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "category_json.h"

namespace maskrt::weights {

/// The classes of a model for which nobody says: COCO's for 80, else "class_0", "class_1", ... with ids from 1.
std::vector<Category> default_categories(int classes);

/// Reads labels: a text file with one name a line (ids from 1), JSON (category_json.h), or YAML with `names`, a list or
/// names by numbers, as YOLO's data files have it. Throws Error that names the file, what was expected and what was
/// found; `classes` is the count that the config says, under `classes_key`.
Labels read_labels(const std::filesystem::path& path, int classes, const std::string& classes_key);

}  // namespace maskrt::weights
