#include "deform_samples_cpu.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "kernels/cpu/exponential.h"
#include "kernels/cpu/rows.h"
#include "kernels/cpu/vector.h"

namespace maskrt::kernels {
namespace {

constexpr std::int64_t kLine = 16;  // numbers in 64 bytes

std::int64_t whole_lines(std::int64_t count) { return (count + kLine - 1) / kLine * kLine; }

MASKRT_CLONES void logistic_row(float* row, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) row[i] = logistic(row[i]);
}

/// From positions y and x and the samples' factors, which weight[0] has, to neighbours and weights.
MASKRT_CLONES void find_corners(const float* __restrict y, const float* __restrict x, std::int64_t n,
                                std::int32_t height, std::int32_t width, std::int32_t* __restrict corner0,
                                std::int32_t* __restrict corner1, std::int32_t* __restrict corner2,
                                std::int32_t* __restrict corner3, float* __restrict weight0, float* __restrict weight1,
                                float* __restrict weight2, float* __restrict weight3) {
  const auto bottom = static_cast<float>(height), right = static_cast<float>(width);
  for (std::int64_t i = 0; i < n; ++i) {
    // Bitwise, as a branch would keep the loop from vectorising. No comparison holds for what is no number.
    const bool inside = (y[i] > -1) & (y[i] < bottom) & (x[i] > -1) & (x[i] < right);
    const float v = inside ? y[i] : 0.0f, u = inside ? x[i] : 0.0f;
    // v + 1 is positive, and whole numbers up to 2^24 are exact.
    const float top = std::floor(v), left = std::floor(u), fy = v - top, fx = u - left;
    const auto row = static_cast<std::int32_t>(top), column = static_cast<std::int32_t>(left);
    // A neighbour beyond the map has no weight; its place is taken by the one inside.
    const std::int32_t row0 = row < 0 ? 0 : row, row1 = row + 1 < height ? row + 1 : row;
    const std::int32_t column0 = column < 0 ? 0 : column, column1 = column + 1 < width ? column + 1 : column;
    const float factor = inside ? weight0[i] : 0.0f;
    const float above = row < 0 ? 0.0f : (1 - fy) * factor, below = row + 1 < height ? fy * factor : 0.0f;
    const float before = column < 0 ? 0.0f : 1 - fx, after = column + 1 < width ? fx : 0.0f;
    corner0[i] = inside ? row0 * width + column0 : -1;
    corner1[i] = row0 * width + column1;
    corner2[i] = row1 * width + column0;
    corner3[i] = row1 * width + column1;
    weight0[i] = above * before;
    weight1[i] = above * after;
    weight2[i] = below * before;
    weight3[i] = below * after;
  }
}

/// Samples `blocks` blocks of channels that share their offsets, at the points of one pixel. Block j begins at
/// map + j * block_stride, and its samples at out + j * taps * Block.
template <int Block>
[[gnu::always_inline]] inline void sample_pixel(const SamplePoints::Arrays& points, std::int64_t first,
                                                std::int64_t taps, const float* map, std::int64_t block_stride,
                                                std::int64_t blocks, float* out) {
  using V = Vector<Block>;
  for (std::int64_t t = 0; t < taps; ++t) {
    const std::int64_t i = first + t;
    float* to = out + t * Block;
    if (points.corner[0][i] < 0) {
      for (std::int64_t j = 0; j < blocks; ++j) *reinterpret_cast<V*>(to + j * taps * Block) = V{};
      continue;
    }
    const float weight0 = points.weight[0][i], weight1 = points.weight[1][i], weight2 = points.weight[2][i],
                weight3 = points.weight[3][i];
    const float* corner0 = map + std::int64_t{points.corner[0][i]} * Block;
    const float* corner1 = map + std::int64_t{points.corner[1][i]} * Block;
    const float* corner2 = map + std::int64_t{points.corner[2][i]} * Block;
    const float* corner3 = map + std::int64_t{points.corner[3][i]} * Block;
    for (std::int64_t j = 0; j < blocks; ++j) {
      const std::int64_t at = j * block_stride;
      *reinterpret_cast<V*>(to + j * taps * Block) =
          *reinterpret_cast<const V*>(corner0 + at) * weight0 + *reinterpret_cast<const V*>(corner1 + at) * weight1 +
          *reinterpret_cast<const V*>(corner2 + at) * weight2 + *reinterpret_cast<const V*>(corner3 + at) * weight3;
    }
  }
}

/// The points of one group of offsets, for all pixels.
struct GroupPoints {
  SamplePoints::Arrays points;
  std::int64_t first, next_pixel, pixels, taps;
};

template <int Block>
[[gnu::always_inline]] inline void sample_group(const GroupPoints& group, const float* map, std::int64_t block_stride,
                                                std::int64_t blocks, float* rows, std::int64_t row) {
  for (std::int64_t p = 0; p < group.pixels; ++p)
    sample_pixel<Block>(group.points, group.first + p * group.next_pixel, group.taps, map, block_stride, blocks,
                        rows + p * row);
}

MASKRT_CLONES void sample_group_16(const GroupPoints& group, const float* map, std::int64_t block_stride,
                                   std::int64_t blocks, float* rows, std::int64_t row) {
  sample_group<16>(group, map, block_stride, blocks, rows, row);
}

MASKRT_CLONES void sample_group_8(const GroupPoints& group, const float* map, std::int64_t block_stride,
                                  std::int64_t blocks, float* rows, std::int64_t row) {
  sample_group<8>(group, map, block_stride, blocks, rows, row);
}

/// One channel alone, for blocks whose channels have different offsets.
void sample_channel(const GroupPoints& group, const float* channel, std::int64_t block, float* rows, std::int64_t row) {
  for (std::int64_t p = 0; p < group.pixels; ++p) {
    for (std::int64_t t = 0; t < group.taps; ++t) {
      const std::int64_t i = group.first + p * group.next_pixel + t;
      float sum = 0;
      if (group.points.corner[0][i] >= 0)
        for (int corner = 0; corner < 4; ++corner)
          sum += channel[group.points.corner[corner][i] * block] * group.points.weight[corner][i];
      rows[p * row + t * block] = sum;
    }
  }
}

}  // namespace

std::size_t SamplePoints::bytes(std::int64_t count) {
  constexpr std::int64_t arrays = 4 + 4 + 2;  // corners, weights, positions
  return static_cast<std::size_t>(arrays * whole_lines(count)) * sizeof(float);
}

SamplePoints::SamplePoints(void* memory, std::int64_t most) : most_(most) {
  const std::int64_t length = whole_lines(most);
  auto* numbers = static_cast<float*>(memory);
  for (float*& weight : points_.weight) weight = std::exchange(numbers, numbers + length);
  y_ = std::exchange(numbers, numbers + length);
  x_ = std::exchange(numbers, numbers + length);
  auto* corners = reinterpret_cast<std::int32_t*>(numbers);
  for (std::int32_t*& corner : points_.corner) corner = std::exchange(corners, corners + length);
}

void SamplePoints::find(const DeformGeometry& geometry, const Tensor& in, const Tensor& offsets, std::int64_t out_width,
                        std::int64_t b, std::int64_t first, std::int64_t pixels, std::int64_t first_group,
                        std::int64_t groups) {
  const ConvGeometry& g = geometry.conv;
  pixels_ = pixels;
  taps_ = geometry.taps();
  groups_ = groups;
  first_group_ = first_group;
  group_channels_ = in.channels / geometry.offset_groups;
  const float* image = offsets.as<float>() + b * offsets.batch_stride;
  const auto channel = [&](std::int64_t c) { return c / offsets.block * offsets.block_stride + c % offsets.block; };
  // Taps innermost in what is written, pixels in what is read: the loop over taps is short, and both stay in the cache.
  for (std::int64_t d = 0; d < groups; ++d) {
    for (std::int64_t t = 0; t < taps_; ++t) {
      const std::int64_t index = 2 * (taps_ * (first_group + d) + t);
      const float* dy = image + channel(index) + first * offsets.pixel_stride;
      const float* dx = image + channel(index + 1) + first * offsets.pixel_stride;
      const float* factor =
          image + first * offsets.pixel_stride +
          channel(geometry.modulated ? taps_ * (2 * geometry.offset_groups + first_group + d) + t : 0);
      const std::int64_t down = t / g.kernel_width * g.dilation - g.padding,
                         across = t % g.kernel_width * g.dilation - g.padding;
      std::int64_t row = first / out_width, column = first % out_width;
      for (std::int64_t p = 0; p < pixels; ++p) {
        const std::int64_t i = (p * groups + d) * taps_ + t;
        y_[i] = static_cast<float>(row * g.stride + down) + dy[p * offsets.pixel_stride];
        x_[i] = static_cast<float>(column * g.stride + across) + dx[p * offsets.pixel_stride];
        points_.weight[0][i] = geometry.modulated ? factor[p * offsets.pixel_stride] : 1.0f;
        if (++column == out_width) column = 0, ++row;
      }
    }
  }
  const std::int64_t count = pixels * groups * taps_;
  if (geometry.modulated) logistic_row(points_.weight[0], count);
  find_corners(y_, x_, count, static_cast<std::int32_t>(in.height), static_cast<std::int32_t>(in.width),
               points_.corner[0], points_.corner[1], points_.corner[2], points_.corner[3], points_.weight[0],
               points_.weight[1], points_.weight[2], points_.weight[3]);
}

void SamplePoints::sample(const Tensor& in, std::int64_t b, std::int64_t first_block, std::int64_t blocks, float* rows,
                          std::int64_t row) const {
  const std::int64_t block = in.block;
  const float* image = in.as<float>() + b * in.batch_stride;
  const auto group_of = [&](std::int64_t channel) { return std::min(channel, in.channels - 1) / group_channels_; };
  const auto points_of = [&](std::int64_t d) {
    return GroupPoints{points_, (d - first_group_) * taps_, groups_ * taps_, pixels_, taps_};
  };
  for (std::int64_t j = 0; j < blocks;) {
    const std::int64_t first = (first_block + j) * block, d = group_of(first);
    float* out = rows + j * taps_ * block;
    std::int64_t alike = 0;  // blocks all of whose channels have the offsets of group d
    while (j + alike < blocks && group_of(first + (alike + 1) * block - 1) == d) ++alike;
    if (alike == 0) {
      for (std::int64_t c = 0; c < block; ++c)
        sample_channel(points_of(group_of(first + c)), image + (first_block + j) * in.block_stride + c, block, out + c,
                       row);
      ++j;
      continue;
    }
    (block == 16 ? sample_group_16 : sample_group_8)(points_of(d), image + (first_block + j) * in.block_stride,
                                                     in.block_stride, alike, out, row);
    j += alike;
  }
}

}  // namespace maskrt::kernels
