#include "byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "maskrt/types.hpp"

namespace maskrt::graph {
namespace {

/// Closes a file descriptor at the end of its scope.
class Descriptor {
 public:
  explicit Descriptor(int file) : file_(file) {}
  ~Descriptor() {
    if (file_ >= 0) ::close(file_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return file_; }

 private:
  int file_;
};

class FileSource final : public ByteSource {
 public:
  // Non-blocking, so that a pipe without a writer is an error below and not a hang here.
  explicit FileSource(const std::filesystem::path& path)
      : ByteSource(path.string()), file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    const auto fail = [&](const std::string& reason) { throw Error("cannot read " + name() + ": " + reason); };
    struct stat status = {};
    if (file_.get() < 0 || ::fstat(file_.get(), &status) != 0) fail(std::strerror(errno));
    if (!S_ISREG(status.st_mode))
      fail(S_ISDIR(status.st_mode) ? "expected a file, found a directory" : "expected a regular file");
    size_ = static_cast<std::size_t>(status.st_size);
  }

  std::size_t size() const override { return size_; }

  void read(std::size_t offset, std::span<std::byte> to) const override {
    while (!to.empty()) {
      // Linux takes at most 2^31 bytes at a time.
      const std::size_t wanted = std::min<std::size_t>(to.size(), std::size_t{1} << 30);
      const ssize_t got = ::pread(file_.get(), to.data(), wanted, static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw Error(std::string("cannot read the file: ") + std::strerror(errno));
      if (got == 0) throw cut_short();
      offset += static_cast<std::size_t>(got);
      to = to.subspan(static_cast<std::size_t>(got));
    }
  }

 private:
  Error cut_short() const {
    struct stat status = {};
    ::fstat(file_.get(), &status);
    return Error("expected a file of " + std::to_string(size_) + " bytes, as it had when it was opened, found " +
                 std::to_string(status.st_size) + ": it was cut short since");
  }

  Descriptor file_;
  std::size_t size_ = 0;
};

class MemorySource final : public ByteSource {
 public:
  MemorySource(std::shared_ptr<const std::byte[]> bytes, std::size_t size, std::string name)
      : ByteSource(std::move(name)), bytes_(std::move(bytes)), size_(size) {}

  std::size_t size() const override { return size_; }

  void read(std::size_t offset, std::span<std::byte> to) const override {
    if (offset > size_ || to.size() > size_ - offset)
      throw Error("expected bytes inside the " + std::to_string(size_) + " in memory, found " +
                  std::to_string(to.size()) + " from " + std::to_string(offset) + " on");
    if (!to.empty()) std::memcpy(to.data(), bytes_.get() + offset, to.size());
  }

 private:
  std::shared_ptr<const std::byte[]> bytes_;
  std::size_t size_;
};

}  // namespace

std::shared_ptr<const ByteSource> open_file(const std::filesystem::path& path) {
  return std::make_shared<FileSource>(path);
}

std::shared_ptr<const ByteSource> in_memory(std::shared_ptr<const std::byte[]> bytes, std::size_t size,
                                            std::string name) {
  return std::make_shared<MemorySource>(std::move(bytes), size, std::move(name));
}

}  // namespace maskrt::graph
