#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "safetensors.h"

namespace maskrt::graph {

MappedFile::MappedFile(const std::filesystem::path& path) : path_(path) {
  const auto fail = [&](const std::string& reason) { throw Error("cannot read " + path_.string() + ": " + reason); };
  // Non-blocking, so that a pipe without a writer is an error below and not a hang here.
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) fail(std::strerror(errno));
  struct stat status = {};
  if (::fstat(file, &status) != 0) {
    const int reason = errno;
    ::close(file);
    fail(std::strerror(reason));
  }
  if (!S_ISREG(status.st_mode)) {
    ::close(file);
    fail(S_ISDIR(status.st_mode) ? "expected a file, found a directory" : "expected a regular file");
  }
  size_ = static_cast<std::size_t>(status.st_size);
  if (size_ != 0) {
    void* const data = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file, 0);
    const int reason = errno;
    ::close(file);
    if (data == MAP_FAILED) fail(std::strerror(reason));
    data_ = static_cast<const std::byte*>(data);
  } else {
    ::close(file);
  }
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

void MappedFile::release(std::span<const std::byte> part) const {
  if (part.empty()) return;
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const auto offset = static_cast<std::size_t>(part.data() - data_);
  const auto first = (offset + page - 1) / page * page;
  const auto last = (offset + part.size()) / page * page;
  // Only advice: where the system declines, the pages stay, and nothing is wrong.
  if (first < last) ::madvise(const_cast<std::byte*>(data_) + first, last - first, MADV_DONTNEED);
}

}  // namespace maskrt::graph
