// Where deformable convolutions sample their input, and the samples.
#pragma once

#include <cstddef>
#include <cstdint>

#include "deform_conv.h"

namespace maskrt::kernels {

/// Points of sampling of some output pixels, of each pixel, offset group and tap: the four pixels around each and their
/// weights. Lies in memory of the caller's.
class SamplePoints {
 public:
  /// Bytes for `count` points.
  static std::size_t bytes(std::int64_t count);

  /// Points lie in `memory`, of bytes(most), aligned to 64 bytes; there are never more than `most`.
  SamplePoints(void* memory, std::int64_t most);

  /// Finds the points of output pixels first .. first + pixels - 1 of image b, counted by rows, and of offset groups
  /// first_group .. first_group + groups - 1. `offsets` and `in` as in deform_conv_ref, fp32.
  void find(const DeformGeometry& geometry, const Tensor& in, const Tensor& offsets, std::int64_t out_width,
            std::int64_t b, std::int64_t first, std::int64_t pixels, std::int64_t first_group, std::int64_t groups);

  /// Samples blocks first_block .. first_block + blocks - 1 of image b's channels at all points:
  /// rows[p * row + (j * taps + t) * block + c] for pixel p, block j, tap t and channel c of the block. `in` is fp32 in
  /// blocks of 8 or 16.
  void sample(const Tensor& in, std::int64_t b, std::int64_t first_block, std::int64_t blocks, float* rows,
              std::int64_t row) const;

  /// A view of the points for the loops. Pixel numbers are those of an image; a point whose neighbours do not count at
  /// all has -1 as its first.
  struct Arrays {
    std::int32_t* corner[4];
    float* weight[4];
  };

 private:
  std::int64_t most_;
  Arrays points_;
  float *y_, *x_;
  std::int64_t pixels_ = 0, taps_ = 0, groups_ = 0, first_group_ = 0, group_channels_ = 1;
};

}  // namespace maskrt::kernels
