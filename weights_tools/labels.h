// What a model's classes are called.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "maskrt/types.hpp"

namespace maskrt::weights {

/// The classes of a model for which nobody says: COCO's for 80, else "class_0", "class_1", ... with ids from 1.
std::vector<Category> default_categories(int classes);

/// Reads labels: a text file with one name a line (ids from 1), or JSON: a list of COCO categories (`id`, `name`,
/// optional `isthing` and `color`), or an object that holds one as `categories`, such as an annotation file of any
/// size. Class i is the i-th by id. Throws Error that names the file, what was expected and what was found; `classes`
/// is the count that the config says.
std::vector<Category> read_labels(const std::filesystem::path& path, int classes);

}  // namespace maskrt::weights
