// A file that appears under its name only once it is complete.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "maskrt/types.hpp"
#include "temporary_files.h"

namespace maskrt::graph {

/// A file could not be written; the sentence names it.
class WriteError : public Error {
 public:
  /// `reason` as in errno.
  WriteError(const std::filesystem::path& path, int reason);
  int reason() const { return reason_; }

 private:
  int reason_;
};

/// What stood under the name stays until commit(), and without a commit nothing is left behind.
///
/// Bytes go to a temporary file in the same folder, ".maskrt-PID-N.tmp", which commit() renames. It takes over mode and
/// owner of the file that it replaces; a symbolic link stays, and what it points to is written, also where that does
/// not exist yet. A file that must stay the same file is overwritten at commit() instead of replaced: one with further
/// hard links, one whose owner the new file could not have, a mount point (a file that a container mounts), one in a
/// folder where no file can be made (bytes then wait in the system's folder for temporary files).
///
/// Pipes, terminals and devices are streams, written to directly, and so is an open descriptor: /dev/stdout,
/// /dev/stderr, /dev/fd/N and /proc/self/fd/N write where that descriptor writes, whatever it is.
///
/// Every failure throws WriteError. A file belongs to one thread at a time.
class AtomicFile {
 public:
  /// Fails for a folder, and for a file that this process may not write.
  explicit AtomicFile(const std::filesystem::path& path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);

  /// Bytes written so far, those of a write that failed half-way too.
  std::uint64_t size() const { return size_; }
  /// What was written to a stream cannot be taken back.
  bool is_stream() const { return stream_; }
  /// Takes back what was written after the first `size` bytes; of a stream nothing.
  void cut(std::uint64_t size);

  /// The last call.
  void commit();

 private:
  void open_stream(int descriptor);
  bool open_beside(int mode);
  void keep_owner_and_mode(unsigned mode, unsigned user, unsigned group);
  void overwrite(int otherwise);
  [[noreturn]] void fail(int reason);

  std::filesystem::path path_;    // as it was given, for messages
  std::filesystem::path target_;  // with links followed
  std::optional<TemporaryName> temporary_;
  std::uint64_t size_ = 0;
  int file_ = -1;
  bool stream_ = false, exists_ = false, in_place_ = false;
};

/// The file that a write to `path` writes: links are followed, also a last one that points to nothing yet.
std::filesystem::path follow_links(const std::filesystem::path& path);

}  // namespace maskrt::graph
