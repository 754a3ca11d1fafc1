#include "image_archive.h"

#include <zstd.h>

#include <cstring>
#include <memory>
#include <string>

#include "image_archive_format.h"
#include "maskrt/types.hpp"

namespace maskrt::kernels {
namespace {

/// Images are a few megabytes at the most; more than this is damage.
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 28;

struct FreeContext {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

}  // namespace

bool runs_on(const DeviceImage& image, int compute_capability) {
  const int wanted = static_cast<int>(image.compute_capability);
  if (image.this_chip_alone) return wanted == compute_capability;
  if (image.kind == ImageKind::machine_code && wanted / 10 != compute_capability / 10) return false;
  return wanted <= compute_capability;
}

void ImageArchive::require(bool holds, const char* what) const {
  if (!holds) throw Error("device code " + file_ + ": expected " + what + ", found damage");
}

ImageArchive::ImageArchive(std::string file, std::span<const std::byte> bytes) : file_(std::move(file)) {
  ArchiveHeader header{};
  require(bytes.size() >= sizeof header, "the header of an archive");
  std::memcpy(&header, bytes.data(), sizeof header);
  require(std::memcmp(header.magic, kArchiveMagic, sizeof header.magic) == 0, "an archive that begins with maskrtDC");
  require(header.images <= (bytes.size() - sizeof header) / sizeof(ArchiveEntry), "an entry for each image");
  for (std::uint32_t i = 0; i < header.images; ++i) {
    ArchiveEntry entry{};
    std::memcpy(&entry, bytes.data() + sizeof header + i * sizeof entry, sizeof entry);
    require(entry.offset <= bytes.size() && entry.packed_bytes <= bytes.size() - entry.offset,
            "frames inside of the archive");
    require(entry.prefix >= -1 && entry.prefix < static_cast<std::int64_t>(i), "prefixes before what they are for");
    require(entry.kind <= 1 && entry.bytes <= kMostBytes, "entries of known kinds and sizes");
    entries_.push_back({{static_cast<ImageKind>(entry.kind), entry.compute_capability, entry.this_chip_alone != 0},
                        entry.prefix,
                        bytes.subspan(entry.offset, entry.packed_bytes),
                        entry.bytes});
  }
}

int ImageArchive::best(ImageKind kind, int compute_capability) const {
  int best = -1;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const DeviceImage& image = entries_[i].image;
    if (image.kind != kind || !runs_on(image, compute_capability)) continue;
    if (best < 0 || image.compute_capability > entries_[static_cast<std::size_t>(best)].image.compute_capability)
      best = static_cast<int>(i);
  }
  return best;
}

std::vector<std::byte> ImageArchive::expand(std::size_t number) const {
  const Entry& entry = entries_[number];
  std::vector<std::byte> prefix;
  if (entry.prefix >= 0) {
    const auto other = static_cast<std::size_t>(entry.prefix);
    prefix = as_prefix(expand(other), entries_[other].image.kind == ImageKind::ptx,
                       entry.image.kind == ImageKind::machine_code);
  }
  std::vector<std::byte> image(entry.bytes);
  const std::unique_ptr<ZSTD_DCtx, FreeContext> context(ZSTD_createDCtx());
  if (context == nullptr) throw std::bad_alloc();
  ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, kWindowLog);
  if (!prefix.empty()) ZSTD_DCtx_refPrefix(context.get(), prefix.data(), prefix.size());
  const std::size_t written =
      ZSTD_decompressDCtx(context.get(), image.data(), image.size(), entry.frame.data(), entry.frame.size());
  require(!ZSTD_isError(written) && written == image.size(), "frames of zstd with as many bytes as their entries say");
  return image;
}

}  // namespace maskrt::kernels
