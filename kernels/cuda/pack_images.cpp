#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>

#include "image_archive.h"
#include "image_archive_format.h"
#include "maskrt/types.hpp"

namespace maskrt::kernels {
namespace {

constexpr int kLevel = 19;

struct FreeContext {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

std::size_t checked(std::size_t result) {
  if (ZSTD_isError(result)) throw Error(std::string("zstd: ") + ZSTD_getErrorName(result));
  return result;
}

std::vector<std::byte> compress(std::span<const std::byte> bytes, std::span<const std::byte> prefix) {
  const std::unique_ptr<ZSTD_CCtx, FreeContext> context(ZSTD_createCCtx());
  if (context == nullptr) throw std::bad_alloc();
  checked(ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, kLevel));
  checked(ZSTD_CCtx_setParameter(context.get(), ZSTD_c_windowLog, kWindowLog));
  checked(ZSTD_CCtx_setParameter(context.get(), ZSTD_c_enableLongDistanceMatching, 1));
  if (!prefix.empty()) checked(ZSTD_CCtx_refPrefix(context.get(), prefix.data(), prefix.size()));
  std::vector<std::byte> frame(ZSTD_compressBound(bytes.size()));
  frame.resize(checked(ZSTD_compress2(context.get(), frame.data(), frame.size(), bytes.data(), bytes.size())));
  return frame;
}

}  // namespace

std::vector<std::byte> pack_images(std::span<const PlainImage> images) {
  std::vector<std::byte> archive(sizeof(ArchiveHeader) + images.size() * sizeof(ArchiveEntry));
  ArchiveHeader header{};
  std::copy(std::begin(kArchiveMagic), std::end(kArchiveMagic), header.magic);
  header.images = static_cast<std::uint32_t>(images.size());
  std::memcpy(archive.data(), &header, sizeof header);
  for (std::size_t i = 0; i < images.size(); ++i) {
    const PlainImage& plain = images[i];
    std::vector<std::byte> prefix;
    if (plain.prefix >= 0) {
      const PlainImage& other = images[static_cast<std::size_t>(plain.prefix)];
      prefix = as_prefix(other.bytes, other.image.kind == ImageKind::ptx, plain.image.kind == ImageKind::machine_code);
    }
    const std::vector<std::byte> frame = compress(plain.bytes, prefix);
    const ArchiveEntry entry{static_cast<std::uint32_t>(plain.image.kind),
                             plain.image.compute_capability,
                             plain.image.this_chip_alone ? 1U : 0U,
                             plain.prefix,
                             archive.size(),
                             frame.size(),
                             plain.bytes.size(),
                             0};
    std::memcpy(archive.data() + sizeof header + i * sizeof entry, &entry, sizeof entry);
    archive.insert(archive.end(), frame.begin(), frame.end());
  }
  return archive;
}

}  // namespace maskrt::kernels
