// Whether a model's classes are those of the annotations that it is scored against.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "maskrt/types.hpp"
#include "runtime/coco/annotations.h"
#include "runtime/coco/results.h"

namespace maskrt::cli {

/// A model that numbers or names its classes otherwise than the annotations would quietly get a low score.
///
/// Categories are in common where id and name are equal; of names, case, spaces, "_" and "-" do not count, and a
/// category without a name goes by its id. Throws Error, with both lists and how to convert the model, where less than
/// half of the shorter list is in common, where a name stands under another id in the other list, and where the
/// model's names are those that maskrt-convert makes up ("class_0") and not the annotations'. Gives a remark in one
/// sentence on what is left that differs, "" where nothing does: ids that both have under different names, and
/// annotated categories that the model has not. `file` has the annotated categories, for messages.
std::string check_categories(std::span<const Category> model, std::span<const coco::CategoryEntry> annotated,
                             const std::string& file);

/// The same for results that were written before, by the names that maskrt gives its results. Results without names
/// are known by their categories' ids alone. Throws Error where the annotations have none of these ids; the remark
/// tells how many results are left out since the annotations do not list their category.
/// `ignore_labels`: names are not compared.
std::string check_categories(std::span<const coco::CocoResult> results, const coco::Annotations& annotations,
                             const std::string& results_name, bool ignore_labels);

}  // namespace maskrt::cli
