// The results of a run over many pictures: where they are written, and what is kept when the run stops early.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "line_file.h"
#include "runtime/coco/image_lines.h"
#include "runtime/coco/results.h"

namespace CLI {
class App;
}

namespace maskrt::cli {

/// One picture of a run, with what its results call it.
struct Picture {
  std::filesystem::path path;
  std::string file_name;
  coco::Id image_id;
};

/// Where results go; "" for nowhere.
struct ResultFiles {
  std::string list;   ///< one list of COCO results
  std::string lines;  ///< a line an image (coco/image_lines.h)
  bool resume = false;
  bool boxes = false;  ///< results get a "bbox"
};

/// --jsonl, --resume and --boxes.
void add_line_options(CLI::App& command, ResultFiles& files);

/// Owns the results so far. Images are added in the order of the pictures.
class ResultSink {
 public:
  /// Opens the files. With `resume`, reads which pictures are done from the file of lines, which is cut off after its
  /// last whole line. `run` tells model and options: lines of another run are not gone on from.
  /// Throws Error for a file of lines of other pictures or of another run; and without `resume` for one that holds
  /// anything, for that is what an earlier run has done.
  ResultSink(const ResultFiles& files, std::span<const Picture> pictures, std::string run);

  /// The picture's results from the run that is resumed; null where it has none. May be called on several threads,
  /// while others of its calls are made on one.
  const coco::ImageLine* earlier(std::size_t picture) const;

  /// The picture's results, found now or earlier, as they are written: with boxes or without. Boxes are made from the
  /// masks where the results have none.
  coco::ImageLine as_written(coco::ImageLine line) const;

  /// What as_written() gave. Throws WriteError.
  void add(std::size_t picture, coco::ImageLine line);

  /// Completes the list where it has any image. Throws WriteError.
  void finish();

  /// For a run that stops early, for whatever reason: completes the files with what they can hold of the images so far,
  /// and reports how many of how many that is. Throws nothing.
  void keep() noexcept;

  std::size_t done() const { return done_; }

 private:
  void read_earlier();
  std::size_t keep_list();
  void tell_what_is_kept();

  ResultFiles files_;
  std::span<const Picture> pictures_;
  std::string run_;
  std::uint64_t earlier_bytes_ = 0;
  std::map<std::size_t, coco::ImageLine> earlier_;  ///< by picture
  std::vector<bool> added_;
  std::size_t done_ = 0, lines_done_ = 0;
  std::optional<coco::ResultsWriter> list_;
  std::optional<LineFile> lines_;
};

}  // namespace maskrt::cli
