// Pixels of a tensor of any type and layout as rows of fp32, and back.
#pragma once

#include "kernels/tensor.h"

namespace maskrt::kernels {

/// A part of a tensor: `pixels` pixels of image b from `first` on, counted by rows, and `channels` channels from
/// `begin` on.
struct PixelRange {
  std::int64_t b, first, pixels, begin, channels;
};

/// rows[p * row + c] = pixel first + p, channel begin + c. fp32, bf16 or fp16; fast for fp32 and bf16 whose channels
/// lie side by side. One thread.
void read_pixels(const Tensor& from, const PixelRange& range, float* rows, std::int64_t row);

/// The other way round; what lies beside these channels, padding among it, stays.
void write_pixels(const float* rows, std::int64_t row, const PixelRange& range, const Tensor& to);

}  // namespace maskrt::kernels
