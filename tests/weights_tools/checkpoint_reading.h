// How the tests read checkpoints that exist in memory only.
#pragma once

#include <filesystem>
#include <string>

#include "support/files.h"
#include "weights_tools/checkpoint/checkpoint.h"

namespace maskrt::testing {

/// A checkpoint file that goes with the test.
class CheckpointFile {
 public:
  explicit CheckpointFile(const std::string& bytes) : path_(write_text(folder_ / "bytes.ckpt", bytes)) {}
  const std::filesystem::path& path() const { return path_; }

 private:
  TemporaryFolder folder_;
  std::filesystem::path path_;
};

inline weights::Checkpoint read_bytes(const std::string& bytes) {
  return weights::read_checkpoint(CheckpointFile(bytes).path());
}

/// What reading the bytes says; empty where it succeeds. Every error names the file first.
inline std::string error_of(const std::string& bytes) {
  const CheckpointFile file(bytes);
  try {
    weights::read_checkpoint(file.path());
  } catch (const Error& error) {
    const std::string text = error.what(), prefix = file.path().string() + ": ";
    return text.starts_with(prefix) ? text.substr(prefix.size()) : "no file named in: " + text;
  }
  return "";
}

}  // namespace maskrt::testing
