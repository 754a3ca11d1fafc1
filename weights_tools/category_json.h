// COCO categories out of JSON of any size.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "maskrt/types.hpp"

namespace maskrt::weights {

/// The categories of a JSON list, or of the list `categories` of a JSON object, in their order. The rest of the object
/// is parsed and dropped while it is read, so an annotation file of a gigabyte takes no memory. Throws Error that
/// starts with `where`.
std::vector<Category> read_category_json(std::istream& file, const std::string& where);

}  // namespace maskrt::weights
