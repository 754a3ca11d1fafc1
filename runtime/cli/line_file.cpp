#include "line_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <span>

#include "graph/atomic_file.h"
#include "graph/descriptors.h"

namespace maskrt::cli {

LineFile::LineFile(const std::filesystem::path& path, std::uint64_t bytes) : path_(path), size_(bytes) {
  const int descriptor = graph::descriptor_of(path);
  file_ = descriptor >= 0 ? ::fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
                          : ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0666);
  if (file_ < 0) throw graph::WriteError(path_, errno);
  struct stat status = {};
  can_cut_ = descriptor < 0 && ::fstat(file_, &status) == 0 && S_ISREG(status.st_mode);
  if (can_cut_ && ::ftruncate(file_, static_cast<off_t>(bytes)) != 0) {
    const int reason = errno;
    ::close(file_);
    throw graph::WriteError(path_, reason);
  }
}

LineFile::~LineFile() { ::close(file_); }

void LineFile::append(std::string_view line) {
  std::uint64_t end = size_;
  if (const int reason = graph::write_all(file_, std::as_bytes(std::span(line)), end)) {
    // A half-written line cannot be mistaken for a whole one: it has no newline.
    if (can_cut_ && ::ftruncate(file_, static_cast<off_t>(size_)) == 0) end = size_;
    throw graph::WriteError(path_, reason);
  }
  size_ = end;
}

void LineFile::flush() {
  if (::fsync(file_) != 0 && errno != EINVAL && errno != EROFS) throw graph::WriteError(path_, errno);
}

}  // namespace maskrt::cli
