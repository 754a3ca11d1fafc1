// COCO annotations: the images of a data set and the instances in them.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "maskrt/maskrt.hpp"

namespace maskrt::coco {

struct ImageEntry {
  std::int64_t id = 0;
  std::string file_name;      ///< as the file has it, relative to the folder of images; may be empty
  int height = 0, width = 0;  ///< 0 where the file does not say
};

struct CategoryEntry {
  std::int64_t id = 0;
  std::string name;
};

/// Outlines x0, y0, x1, y1, ... in pixels, whose union is the mask.
using Polygons = std::vector<std::vector<double>>;

/// Uncompressed runs, column by column, of 0 and 1 in turn.
struct RunCounts {
  int height = 0, width = 0;
  std::vector<std::uint32_t> counts;
};

/// A mask in the form in which the file states it; nothing where it has none.
using Segmentation = std::variant<std::monostate, Polygons, RunCounts, Rle>;

struct Annotation {
  std::int64_t id = 0, image_id = 0, category_id = 0;
  bool crowd = false;
  double area = 0;
  std::optional<std::array<double, 4>> bbox;  ///< x, y, width, height
  Segmentation segmentation;
};

struct Annotations {
  std::filesystem::path path;  ///< the file, for messages
  std::vector<ImageEntry> images;
  std::vector<CategoryEntry> categories;
  std::vector<Annotation> annotations;  ///< in the file's order; their images and categories need not be listed
};

/// Reads an annotation file. "images" and "categories" must be there, "annotations" may be missing. Memory is what the
/// structures above hold: the JSON is never in memory as a whole.
///
/// Throws Error that names the file, the record, what was expected and what was found: for wrong types, ids beyond 64
/// bits or used twice, a first polygon of less than 3 points, odd numbers of coordinates, sizes that are not positive.
/// What only a mask's runs tell is found when the mask is used.
Annotations read_annotations(const std::filesystem::path& path);

}  // namespace maskrt::coco
