// The data of a public Mask, and the outlines traced from it.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "kernels/masks/instance.h"
#include "maskrt/maskrt.hpp"
#include "rle.h"

namespace maskrt {

/// A mask as it came from the device: as bits or as run lengths.
struct Mask::Data {
 public:
  Data() = default;
  /// `area`: the number of bits set.
  Data(kernels::MaskBits bits, std::int64_t area)
      : width_(bits.width), height_(bits.height), area_(area), bits_(std::move(bits)) {}
  Data(rle::Runs runs, std::int64_t area)
      : width_(runs.width), height_(runs.height), area_(area), runs_(std::move(runs)) {}

  int width() const { return width_; }
  int height() const { return height_; }
  std::int64_t area() const { return area_; }
  /// Made from the run lengths on first use, where the mask came as those. Thread-safe.
  const kernels::MaskBits& bits() const;
  Rle rle() const;

 private:
  int width_ = 0, height_ = 0;
  std::int64_t area_ = 0;
  std::optional<rle::Runs> runs_;
  mutable std::once_flag unpacked_;
  mutable kernels::MaskBits bits_;
};

/// Closed outlines along pixel edges, corners only. Pixels that touch only at a corner belong to different outlines.
/// Outer outlines run clockwise as seen (y down), holes the other way. A function of the bits; thread-safe.
std::vector<std::vector<Point>> outlines(const kernels::MaskBits& bits);

}  // namespace maskrt
