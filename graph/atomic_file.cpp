#include "atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "maskrt/types.hpp"
#include "safetensors.h"

namespace maskrt::graph {

AtomicFile::AtomicFile(const std::filesystem::path& path) : path_(path) {
  struct stat status = {};
  const bool exists = ::stat(path.c_str(), &status) == 0;
  if (exists && S_ISDIR(status.st_mode)) fail(EISDIR);
  if (exists && !S_ISREG(status.st_mode)) {
    file_ = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (file_ < 0) fail(errno);
    return;
  }
  // A link's target is what gets replaced, not the link.
  std::error_code ignored;
  if (exists) {
    if (auto target = std::filesystem::canonical(path, ignored); !ignored) path_ = std::move(target);
  }
  for (int attempt = 0; file_ < 0; ++attempt) {
    temporary_ = path_.string() + ".tmp-" + std::to_string(::getpid()) + "-" + std::to_string(attempt);
    file_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file_ < 0 && (errno != EEXIST || attempt == 1000)) {
      temporary_.clear();
      fail(errno);
    }
  }
}

AtomicFile::~AtomicFile() {
  if (file_ >= 0) ::close(file_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::fail(int reason) { throw Error("cannot write " + path_.string() + ": " + std::strerror(reason)); }

void AtomicFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(file_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(errno);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void AtomicFile::commit() {
  // Pipes and terminals have nothing to flush and say so.
  if (::fsync(file_) != 0 && errno != EINVAL && errno != EROFS) fail(errno);
  const int closed = ::close(file_);
  file_ = -1;
  if (closed != 0) fail(errno);
  if (temporary_.empty()) return;
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail(errno);
  temporary_.clear();
}

void write_file(const std::filesystem::path& path, std::span<const std::byte> contents) {
  AtomicFile file(path);
  file.write(contents);
  file.commit();
}

}  // namespace maskrt::graph
