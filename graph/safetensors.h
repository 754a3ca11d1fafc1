// The safetensors container: a mapped reader and a writer that leaves no half-written file behind.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "maskrt/types.hpp"

namespace maskrt::graph {

/// A file mapped read-only. Its pages are the kernel's to drop and read again.
class MappedFile {
 public:
  /// Throws Error that names the path and the reason.
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return {data_, size_}; }
  const std::filesystem::path& path() const { return path_; }
  /// Gives the pages that lie wholly inside a part of bytes() back; they are read again if touched again.
  void release(std::span<const std::byte> part) const;

 private:
  std::filesystem::path path_;
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// One tensor of a safetensors file: row-major, little-endian.
struct TensorView {
  DataType type = DataType::f32;
  Shape shape;
  std::span<const std::byte> bytes;
  /// Widened or narrowed to fp32.
  std::vector<float> to_floats() const;
};

/// A safetensors file, checked from end to end before anything is taken from it: header length, JSON, dtypes, shapes,
/// offsets, products that overflow, holes and overlaps.
struct Safetensors {
  std::shared_ptr<const MappedFile> file;
  std::map<std::string, TensorView> tensors;
  std::map<std::string, std::string> metadata;

  /// Throws Error that names the file, what was expected and what was found.
  static Safetensors read(const std::filesystem::path& path);
};

/// One tensor to be written. `bytes` must stay valid until write_safetensors returns.
struct TensorToWrite {
  std::string name;
  DataType type = DataType::f32;
  Shape shape;
  std::span<const std::byte> bytes;
};

/// Writes `path` through a temporary file beside it that is renamed at the end: a failure leaves what was there before.
/// Tensor data starts at a multiple of 256 bytes. Throws Error.
void write_safetensors(const std::filesystem::path& path, const std::vector<TensorToWrite>& tensors,
                       const std::map<std::string, std::string>& metadata);

/// Any file, all of it or none of it: written beside `path`, flushed, then renamed over it. Throws Error.
void write_file(const std::filesystem::path& path, std::span<const std::byte> contents);

}  // namespace maskrt::graph
