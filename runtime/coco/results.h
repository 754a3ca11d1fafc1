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
#include "graph/atomic_file.h"
#include "id.h"
#include "iou_type.h"
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

/// Writes a results file, one detection after the other. The list appears under its name only at finish() or keep(); a
/// writer that is destroyed before leaves what was there. What is no regular file (a pipe, a terminal) is written to
/// directly, and gets each image's detections as they are there.
///
/// Numbers read back as they were: a score that is a float is written with as few digits as tell it from other floats.
/// Bytes of names that are not UTF-8 become U+FFFD. Belongs to one thread at a time.
class ResultsWriter {
 public:
  /// Throws Error when no file can be made there.
  explicit ResultsWriter(const std::filesystem::path& path);

  /// Throws Error for a score or box that is not finite, and WriteError when writing fails.
  void add(const CocoResult& result);
  /// All that was added since the last such call, which may be nothing, is an image's whole list. Throws WriteError.
  void end_image();
  /// Throws WriteError when the file cannot be completed; then keep() may still help. The last call otherwise.
  void finish();

  /// For a run that stops early, also because a call above threw: completes the file with the images that ended so far,
  /// on a full disk with as many of them as it has room for, and gives their number. Where that is none, what was there
  /// stays. Throws WriteError for a stream that does not take the list's end. The last call.
  std::size_t keep();

 private:
  void write(std::string_view text);
  void flush();

  graph::AtomicFile file_;
  std::string path_, buffer_;
  std::size_t count_ = 0;
  std::uint64_t written_ = 0;              ///< bytes that left the buffer
  std::vector<std::uint64_t> images_end_;  ///< bytes of the file after each image, without the list's end
  int failed_ = 0;                         ///< why a write failed (errno): the file ends somewhere inside a record
};

}  // namespace maskrt::coco
