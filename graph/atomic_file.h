// A file that appears under its name only once it is complete.
#pragma once

#include <filesystem>
#include <span>
#include <string>

namespace maskrt::graph {

/// Writes beside `path` and renames over it at commit(); without a commit nothing is left behind. What is there already
/// and is no regular file (a terminal, a pipe) is written to directly. Every failure throws Error that names the path.
class AtomicFile {
 public:
  explicit AtomicFile(const std::filesystem::path& path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void commit();

 private:
  [[noreturn]] void fail(int reason);

  std::filesystem::path path_;
  std::string temporary_;  // empty where there is none (any more)
  int file_ = -1;
};

}  // namespace maskrt::graph
