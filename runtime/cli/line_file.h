// A text file that grows line by line.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

namespace maskrt::cli {

/// Each line lies in the file, whole, when append() returns. The file keeps its mode, owner and links.
class LineFile {
 public:
  /// Opens the file, or makes it, to go on after its first `bytes`; what comes after them is cut off. An open
  /// descriptor
  /// (/dev/stdout) is written to where it stands. Throws WriteError.
  LineFile(const std::filesystem::path& path, std::uint64_t bytes);
  ~LineFile();
  LineFile(const LineFile&) = delete;
  LineFile& operator=(const LineFile&) = delete;

  /// A line with its end. Throws WriteError; the file then ends after the line before.
  void append(std::string_view line);

  /// Waits until the lines are on the disk. Throws WriteError.
  void flush();

 private:
  std::filesystem::path path_;
  std::uint64_t size_;
  int file_ = -1;
  bool can_cut_ = false;
};

}  // namespace maskrt::cli
