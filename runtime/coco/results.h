// COCO results: what `maskrt run --json` writes and `maskrt eval` reads.
//
// One JSON list with an object for each detection:
//   {"file_name": "street.jpg", "image_id": 1, "category_id": 3, "category": "car", "score": 0.93,
//    "segmentation": {"size": [480, 640], "counts": "..."}}
// "size" is height, width; "counts" is COCO's compressed run-length encoding. Where boxes are asked for, there is a
// "bbox", x, y, width, height; and where `maskrt run` wrote pictures, "overlay", "mask_file" and "activations_file"
// with their paths as the command named them.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "annotations.h"
#include "id.h"
#include "iou_type.h"
#include "list_writer.h"
#include "maskrt/maskrt.hpp"

namespace maskrt::coco {

struct CocoResult {
  std::string file_name;  ///< maskrt's own member; not written where empty
  Id image_id, category_id;
  std::string category;  ///< the category's name; not written where empty
  std::optional<std::array<double, 4>> bbox;
  double score = 0;
  std::optional<Rle> segmentation;
  Polygons outlines = {};      ///< the mask where a file has outlines instead of runs; read, and never written
  std::string overlay = {};    ///< the picture in which it is drawn; maskrt's own member; not written where empty
  std::string mask_file = {};  ///< the picture of its mask; maskrt's own member; not written where empty
  std::string activations_file = {};  ///< of its activation maps; likewise
};

/// Reads a results file. Masks may be compressed or uncompressed runs or outlines; they are kept as written and checked
/// when used.
/// Scores may be NaN or infinite. `type`: what will be scored; for boxes, masks are neither read nor checked where the
/// first result has a box. Memory: the file's bytes beside the results.
/// Throws Error that names the file, the result's index, what was expected and what was found.
std::vector<CocoResult> read_results(const std::filesystem::path& path, IouType type = IouType::segm);

/// Writes a results file, one detection after the other, as ListWriter does.
///
/// Numbers read back as they were: a score that is a float is written with as few digits as tell it from other floats.
/// Bytes of names that are not UTF-8 become U+FFFD. Belongs to one thread at a time.
class ResultsWriter {
 public:
  /// Throws Error when no file can be made there.
  explicit ResultsWriter(const std::filesystem::path& path) : list_(path) {}

  /// Throws Error for a score or box that is not finite, and WriteError when writing fails.
  void add(const CocoResult& result);
  void end_image() { list_.end_image(); }
  void finish() { list_.finish(); }
  std::size_t keep() { return list_.keep(); }

 private:
  ListWriter list_;
};

}  // namespace maskrt::coco
