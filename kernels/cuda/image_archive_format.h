// An archive of device code as it lies in memory; image_archive.h describes it.
#pragma once

#include <cstdint>

namespace maskrt::kernels {

constexpr char kArchiveMagic[8] = {'m', 'a', 's', 'k', 'r', 't', 'D', 'C'};
/// Of zstd: a frame reaches back through its prefix as far as 2^24 bytes.
constexpr int kWindowLog = 24;

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
