#include "atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <random>

#include "descriptors.h"
#include "safetensors.h"

namespace maskrt::graph {
namespace {

namespace fs = std::filesystem;

/// Names differ between threads, and between processes that share a folder but not their numbers, as containers do.
std::string temporary_name() {
  static std::atomic<unsigned> next = std::random_device()();
  return ".maskrt-" + std::to_string(::getpid()) + "-" + std::to_string(next++) + ".tmp";
}

/// Where the system keeps temporary files: an open file that has no name any more; -1 where there can be none.
int open_unnamed() {
  std::error_code error;
  const fs::path folder = fs::temp_directory_path(error);
  if (error) return -1;
  std::string name = (folder / "maskrt-XXXXXX").string();
  const int file = ::mkostemp(name.data(), O_CLOEXEC);
  if (file >= 0) ::unlink(name.c_str());
  return file;
}

/// Gives 0 or the reason why not.
int copy(int from, int to, std::uint64_t size) {
  static constexpr std::size_t step = 1 << 16;
  std::array<std::byte, step> buffer;
  std::uint64_t done = 0;
  while (done < size) {
    const auto count = ::pread(from, buffer.data(), buffer.size(), static_cast<off_t>(done));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return count < 0 ? errno : EIO;
    if (const int reason = write_all(to, {buffer.data(), static_cast<std::size_t>(count)}, done)) return reason;
  }
  return 0;
}

}  // namespace

WriteError::WriteError(const fs::path& path, int reason)
    : Error("cannot write " + path.string() + ": " + std::strerror(reason)), reason_(reason) {}

fs::path follow_links(const fs::path& path) {
  fs::path target = path;
  std::error_code error;
  for (int hops = 0; hops < 40 && descriptor_of(target) < 0; ++hops) {
    const fs::path next = fs::read_symlink(target, error);
    if (error) break;
    target = next.is_absolute() ? next : target.parent_path() / next;
  }
  return target;
}

AtomicFile::AtomicFile(const fs::path& path) : path_(path), target_(follow_links(path)) {
  if (const int descriptor = descriptor_of(target_); descriptor >= 0) {
    open_stream(::fcntl(descriptor, F_DUPFD_CLOEXEC, 0));
    return;
  }
  struct stat status = {};
  exists_ = ::stat(path.c_str(), &status) == 0;
  if (!exists_ && errno != ENOENT) fail(errno);
  if (exists_ && S_ISDIR(status.st_mode)) fail(EISDIR);
  if (exists_ && !S_ISREG(status.st_mode)) {
    open_stream(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY));
    return;
  }
  if (exists_ && ::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) != 0) fail(errno);
  // Links of /proc lead to a file whatever the text says that they hold.
  struct stat followed = {};
  if (exists_ &&
      (::stat(target_.c_str(), &followed) != 0 || followed.st_dev != status.st_dev || followed.st_ino != status.st_ino))
    target_ = path;
  in_place_ = exists_ && status.st_nlink > 1;
  if (open_beside(exists_ ? static_cast<int>(status.st_mode & 0777) : 0666)) {
    if (exists_ && !in_place_) keep_owner_and_mode(status.st_mode & 07777, status.st_uid, status.st_gid);
  } else {
    const int reason = errno;
    if (!exists_) fail(reason);
    file_ = open_unnamed();
    if (file_ < 0) fail(reason);
    in_place_ = true;
  }
}

AtomicFile::~AtomicFile() {
  if (file_ >= 0) ::close(file_);
  if (temporary_) ::unlink(temporary_->path());
}

void AtomicFile::open_stream(int descriptor) {
  stream_ = true;
  file_ = descriptor;
  if (file_ < 0) fail(errno);
}

/// Leaves the reason in errno where it gives false.
bool AtomicFile::open_beside(int mode) {
  for (int attempt = 0; attempt < 100; ++attempt) {
    temporary_.emplace((target_.parent_path() / temporary_name()).string());
    file_ = ::open(temporary_->path(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (file_ >= 0) return true;
    const int reason = errno;
    temporary_.reset();
    errno = reason;
    if (reason != EEXIST) return false;
  }
  return false;
}

void AtomicFile::keep_owner_and_mode(unsigned mode, unsigned user, unsigned group) {
  struct stat made = {};
  if (::fstat(file_, &made) != 0) fail(errno);
  const bool owned = (made.st_uid == user && made.st_gid == group) || ::fchown(file_, user, group) == 0;
  if (!owned || ::fchmod(file_, mode) != 0) in_place_ = true;
}

void AtomicFile::fail(int reason) { throw WriteError(path_, reason); }

void AtomicFile::write(std::span<const std::byte> bytes) {
  if (const int reason = write_all(file_, bytes, size_)) fail(reason);
}

void AtomicFile::cut(std::uint64_t size) {
  if (stream_ || size >= size_) return;
  const auto end = static_cast<off_t>(size);
  if (::ftruncate(file_, end) != 0 || ::lseek(file_, end, SEEK_SET) != end) fail(errno);
  size_ = size;
}

/// `otherwise`: the reason that made it necessary, told where this fails from the start.
void AtomicFile::overwrite(int otherwise) {
  const int target = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC);
  if (target < 0) fail(otherwise != 0 ? otherwise : errno);
  const auto size = static_cast<off_t>(size_);
  struct stat before = {};
  int reason = ::fstat(target, &before) == 0 ? 0 : errno;
  // A disk that has no room says so before the old contents are gone.
  if (reason == 0 && size > before.st_size && ::fallocate(target, 0, 0, size) != 0 && errno != EOPNOTSUPP &&
      errno != ENOSYS) {
    reason = errno;
    if (::ftruncate(target, before.st_size) != 0) reason = errno;
  } else if (reason == 0) {
    reason = copy(file_, target, size_);
    if (reason == 0 && ::ftruncate(target, size) != 0) reason = errno;
    if (reason == 0 && ::fsync(target) != 0) reason = errno;
  }
  if (::close(target) != 0 && reason == 0) reason = errno;
  if (reason != 0) fail(reason);
}

void AtomicFile::commit() {
  // Pipes and terminals have nothing to flush and say so.
  if (::fsync(file_) != 0 && errno != EINVAL && errno != EROFS) fail(errno);
  if (!stream_ && in_place_) overwrite(0);
  if (!stream_ && !in_place_ && ::rename(temporary_->path(), target_.c_str()) != 0) {
    const int reason = errno;
    if (!exists_) fail(reason);
    overwrite(reason);
    in_place_ = true;
  }
  if (temporary_ && in_place_) ::unlink(temporary_->path());
  temporary_.reset();
  const int closed = ::close(file_);
  file_ = -1;
  if (closed != 0) fail(errno);
}

void write_file(const fs::path& path, std::span<const std::byte> contents) {
  AtomicFile file(path);
  file.write(contents);
  file.commit();
}

}  // namespace maskrt::graph
