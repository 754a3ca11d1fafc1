// JSON lists of records that grow for hours: what is done is kept, whatever stops the writer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "graph/atomic_file.h"

namespace maskrt::coco {

/// Writes a JSON file that is one list, record after record. It appears under its name only at finish() or keep(); a
/// writer that is destroyed before leaves what was there. What is no regular file (a pipe, a terminal) is written to
/// directly, and gets each image's records as they are there. Belongs to one thread at a time.
class ListWriter {
 public:
  /// `opening` and `closing`: what stands before and after the records: "[" and "]", or an object around them. Throws
  /// Error when no file can be made there.
  explicit ListWriter(const std::filesystem::path& path, std::string opening = "[", std::string closing = "]");

  const std::string& path() const { return path_; }
  /// Records so far.
  std::size_t count() const { return count_; }

  /// The next record's JSON. Throws WriteError when writing fails.
  void add(std::string_view record);
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
  std::string path_, opening_, closing_, buffer_;
  std::size_t count_ = 0;
  std::uint64_t written_ = 0;              ///< bytes that left the buffer
  std::vector<std::uint64_t> images_end_;  ///< bytes of the file after each image, without the list's end
  int failed_ = 0;                         ///< why a write failed (errno): the file ends somewhere inside a record
};

}  // namespace maskrt::coco
