// The images of one .cu file, PTX and machine code, compressed one by one, so that a device expands what it runs alone.
//
// An archive is a header, an entry for each image, and their zstd frames. An image may be compressed with another one
// as its prefix, which the decoder then needs: machine code for 8.6 differs little from that for 8.0, and code with
// line information repeats the PTX that it was made of.
//   offset 0        "maskrtDC", then the number of images (u32) and zero (u32)
//   16 + 48 * i     entry i: kind, compute capability, whether no other chip runs it (u32 each), the number of its
//                   prefix or -1 (i32, always below i), then where its frame lies, its bytes, the image's bytes (u64
//                   each), and zero (u64)
// Where PTX is the prefix of machine code, its line ends count as zeros (image_archive_format.h).
// Integers are little-endian, as all hosts of CUDA are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace maskrt::kernels {

enum class ImageKind : std::uint32_t { ptx, machine_code };

/// What an image is and whom it serves.
struct DeviceImage {
  ImageKind kind = ImageKind::ptx;
  std::uint32_t compute_capability = 0;  ///< 80: 8.0
  bool this_chip_alone = false;          ///< the "a" of sm_90a: no newer chip runs it either
};

/// Whether a chip of that compute capability runs the image: PTX that is not newer; machine code of the same major
/// version that is not newer.
bool runs_on(const DeviceImage& image, int compute_capability);

/// The images of an archive.
class ImageArchive {
 public:
  /// Refers to `bytes`; `file` is whose they are, for messages. Throws Error where they are no archive.
  ImageArchive(std::string file, std::span<const std::byte> bytes);

  std::size_t count() const { return entries_.size(); }
  const DeviceImage& operator[](std::size_t number) const { return entries_[number].image; }
  /// The number of the newest image of that kind that a chip runs; -1 where there is none.
  int best(ImageKind kind, int compute_capability) const;
  /// An image as cuModuleLoadData takes it: PTX ends in a zero byte. Throws Error where the archive is damaged.
  std::vector<std::byte> expand(std::size_t number) const;

 private:
  struct Entry {
    DeviceImage image;
    int prefix;
    std::span<const std::byte> frame;
    std::size_t bytes;
  };
  void require(bool holds, const char* what) const;

  std::string file_;
  std::vector<Entry> entries_;
};

/// An image to be put into an archive.
struct PlainImage {
  DeviceImage image;
  int prefix = -1;  ///< the number of an image before this one, or -1
  std::vector<std::byte> bytes;
};

/// The archive of `images`, as small as zstd makes it. Slow: for the build.
std::vector<std::byte> pack_images(std::span<const PlainImage> images);

}  // namespace maskrt::kernels
