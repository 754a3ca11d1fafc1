// Where a tensor file's bytes come from: a file that is read piece by piece, or memory.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

namespace maskrt::graph {

/// Bytes that are copied out when they are wanted. Nothing is mapped: a file that somebody cuts short or overwrites
/// while a process works with it makes read() throw or give other bytes, and never raises SIGBUS. Immutable; read() may
/// be called from several threads.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  virtual std::size_t size() const = 0;  ///< when it was opened
  /// Copies the bytes from `offset` on. Throws Error, without the source's name, where there are no such bytes (any
  /// more) or reading fails.
  virtual void read(std::size_t offset, std::span<std::byte> to) const = 0;
  /// What messages call it: the path, or what the caller said.
  const std::string& name() const { return name_; }

  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

 protected:
  explicit ByteSource(std::string name) : name_(std::move(name)) {}

 private:
  std::string name_;
};

/// Opens a regular file, which stays open as long as the source lives: a file that is renamed over it or removed does
/// not matter. Throws Error that names the path and the reason.
std::shared_ptr<const ByteSource> open_file(const std::filesystem::path& path);

/// Memory that the source shares: it must not change. `name` stands for it in messages.
std::shared_ptr<const ByteSource> in_memory(std::shared_ptr<const std::byte[]> bytes, std::size_t size,
                                            std::string name);

}  // namespace maskrt::graph
