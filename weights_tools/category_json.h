// Categories and class names out of JSON of any size.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "maskrt/types.hpp"

namespace maskrt::weights {

/// What a labels file says.
struct Labels {
  std::vector<Category> categories;   ///< class i is the i-th
  std::vector<std::string> left_out;  ///< sentences on what was not understood and does not matter much
};

/// COCO's categories, by their ids: a list of them, or `categories` of an object. Or names: a list of strings; an
/// object of strings by numbers; either as `names`, `id2label`, `classes` or `thing_classes` of an object. The rest of
/// an object is parsed and dropped while it is read, so an annotation file of a gigabyte takes no memory. Throws Error
/// that starts with `where`.
Labels read_category_json(std::istream& file, const std::string& where);

}  // namespace maskrt::weights
