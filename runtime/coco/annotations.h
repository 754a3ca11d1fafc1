// COCO annotations: the images of a data set and the instances in them.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "id.h"
#include "iou_type.h"
#include "maskrt/maskrt.hpp"

namespace maskrt::coco {

struct ImageEntry {
  Id id;
  std::string file_name;      ///< as the file has it, relative to the folder of images; may be empty
  int height = 0, width = 0;  ///< 0 where the file does not say
  /// There was no file_name, as in LVIS: it is the end of "coco_url", folder and name ("val2017/000000397133.jpg").
  bool named_by_url = false;
};

struct CategoryEntry {
  Id id;
  std::string name;
};

/// Outlines x0, y0, x1, y1, ... in pixels, whose union is the mask.
using Polygons = std::vector<std::vector<double>>;

/// Uncompressed run lengths, column by column, alternating between 0 and 1, starting with 0.
struct RunCounts {
  int height = 0, width = 0;
  std::vector<std::uint32_t> counts;
};

/// A mask in the form in which the file states it; nothing where it has none.
using Segmentation = std::variant<std::monostate, Polygons, RunCounts, Rle>;

struct Annotation {
  std::int64_t id = 0;
  Id image_id, category_id;
  bool crowd = false;
  double area = 0;                            ///< may be NaN, which is in no range and in all, as comparisons have it
  std::optional<std::array<double, 4>> bbox;  ///< x, y, width, height
  Segmentation segmentation;
};

struct Annotations {
  std::filesystem::path path;  ///< the file, for messages
  std::vector<ImageEntry> images;
  std::vector<CategoryEntry> categories;
  std::vector<Annotation> annotations;  ///< in the file's order; their images and categories need not be listed
  /// The file tells for each image which categories were looked for, as LVIS does. Nothing here makes use of that.
  bool federated = false;
};

/// Reads an annotation file. "images" and "categories" must be there, "annotations" may be missing. `type`: what will
/// be scored; the other of masks and boxes is then neither read nor checked, nor are sizes of images for boxes.
/// Nothing: both are read.
///
/// What is read is what pycocotools makes sense of. An image or category that is listed twice is the later one; ids of
/// images and categories may be strings, and those of annotations strings of whole numbers; the last of an odd number
/// of coordinates is left out; areas may be NaN or infinite; "iscrowd" may be missing. Memory: the file's bytes beside
/// what the structures above hold.
///
/// Throws Error that names the file, the record, what was expected and what was found: for wrong types, ids beyond 64
/// bits, an annotation's id that is used twice, a first polygon of less than 3 points, sizes that are not positive.
/// What only a mask's runs tell is found when the mask is used.
Annotations read_annotations(const std::filesystem::path& path, std::optional<IouType> type = std::nullopt);

/// The images that an annotation file lists, and nothing else of it.
std::vector<ImageEntry> read_images(const std::filesystem::path& path);

}  // namespace maskrt::coco
