// An archive of device code as it lies in memory; image_archive.h describes it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace maskrt::kernels {

constexpr char kArchiveMagic[8] = {'m', 'a', 's', 'k', 'r', 't', 'D', 'C'};
/// Of zstd: a frame reaches back through its prefix as far as 2^24 bytes.
constexpr int kWindowLog = 24;

/// An image as a prefix of another one. Machine code with line information has the lines of its PTX in it with zeros
/// for line ends; with those the PTX is found there in long pieces.
inline std::vector<std::byte> as_prefix(std::span<const std::byte> image, bool is_ptx, bool of_machine_code) {
  std::vector<std::byte> prefix(image.begin(), image.end());
  if (is_ptx && of_machine_code) std::replace(prefix.begin(), prefix.end(), std::byte{'\n'}, std::byte{0});
  return prefix;
}

struct ArchiveHeader {
  char magic[8];
  std::uint32_t images, zero;
};
static_assert(sizeof(ArchiveHeader) == 16);

struct ArchiveEntry {
  std::uint32_t kind, compute_capability, this_chip_alone;
  std::int32_t prefix;
  std::uint64_t offset, packed_bytes, bytes, zero;
};
static_assert(sizeof(ArchiveEntry) == 48);

}  // namespace maskrt::kernels
