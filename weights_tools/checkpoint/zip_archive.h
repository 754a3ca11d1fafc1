// Zip archives whose entries are stored as they are, as PyTorch writes them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "maskrt/types.hpp"

namespace maskrt::weights {

/// A zip archive (ZIP64 too) in memory that must outlive it. Not for several threads at once.
class ZipArchive {
 public:
  /// Checks the whole directory before any entry is read: names that stay inside the archive and come once, no
  /// compression, no encryption, sizes whose sum the file can hold. Throws Error that names the entry.
  explicit ZipArchive(std::span<const std::byte> bytes);
  ~ZipArchive();
  ZipArchive(const ZipArchive&) = delete;
  ZipArchive& operator=(const ZipArchive&) = delete;

  struct Entry {
    std::uint64_t index = 0;
    std::uint64_t size = 0;  ///< bytes
    bool has_checksum = true;
  };
  const std::map<std::string, Entry, std::less<>>& entries() const { return entries_; }

  /// The contents of an entry, compared with its CRC-32 unless that is absent: PyTorch can be told to compute none
  /// (torch.serialization.set_crc32_options) and writes 0. Throws Error that names the entry.
  std::vector<std::byte> read(std::string_view name) const;

 private:
  struct Handle;
  std::unique_ptr<Handle> handle_;
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace maskrt::weights
