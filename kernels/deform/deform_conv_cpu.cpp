#include "deform_conv_cpu.h"

#include <omp.h>

#include <algorithm>
#include <cstring>

#include "deform_samples_cpu.h"
#include "kernels/cpu/activate_row.h"
#include "kernels/cpu/multiply.h"
#include "kernels/element.h"

namespace maskrt::kernels {
namespace {

/// Products of an output that are summed up at a time: the panel of weights that goes with so many (three vectors each)
/// stays in L1.
constexpr std::int64_t kDepth = 160;
/// Blocks of channels that are sampled at a time, where one has no fewer products than that: what leads to a point is
/// found once for all of them.
constexpr std::int64_t kSampledBlocks = 2;
/// A tile's pixels, whose sums and samples stay in L2. The more there are, the more often weights are used that come
/// from beyond L2; with fewer than the least, reading them takes longer than the products.
constexpr std::int64_t kTilePixels = 192, kFewestPixels = 32;
constexpr std::size_t kMostPointBytes = 256 * 1024;

std::int64_t ceil_div(std::int64_t n, std::int64_t d) { return (n + d - 1) / d; }
std::size_t whole_lines(std::size_t bytes) { return (bytes + 63) / 64 * 64; }

}  // namespace

std::int64_t DeformConv::Part::panels() const { return ceil_div(outs, kMostVectors); }

bool DeformConv::fast() const {
  const Tensor &in = shape_.in, &out = shape_.out;
  return in.type == DataType::f32 && out.type == DataType::f32 && in.block == out.block &&
         (in.block == 16 || in.block == 8) && in.pixel_stride == in.block && out.pixel_stride == out.block;
}

DeformConv::DeformConv(const Shape& shape, int threads) : shape_(shape), threads_(threads) {
  if (!fast()) {
    const DeformGeometry& g = shape.geometry;
    weight_count_ = shape.out.channels * (shape.in.channels / g.conv.groups) * g.taps();
    return;
  }
  find_parts();
  plan_tiles(threads);
}

void DeformConv::find_parts() {
  const Tensor &in = shape_.in, &out = shape_.out;
  const std::int64_t groups = shape_.geometry.conv.groups, group_in = in.channels / groups,
                     group_out = out.channels / groups, block = in.block;
  for (std::int64_t o = 0; o < out.blocks(); ++o) {
    const std::int64_t first_group = o * block / group_out,
                       last_group = std::min((o + 1) * block, out.channels) - 1;  // its last channel
    const std::int64_t first = first_group * group_in / block,
                       end = ceil_div((last_group / group_out + 1) * group_in, block);
    if (!parts_.empty() && parts_.back().first_in == first && parts_.back().first_in + parts_.back().ins == end) {
      ++parts_.back().outs;
    } else {
      parts_.push_back({o, 1, first, end - first, 0});
    }
  }
  const std::int64_t square = block * block * shape_.geometry.taps();
  for (Part& part : parts_) {
    part.weights = weight_count_;
    weight_count_ += part.outs * part.ins * square;
  }
}

std::int64_t DeformConv::offset_groups_of(const Part& part) const {
  const std::int64_t each = shape_.in.channels / shape_.geometry.offset_groups, block = shape_.in.block;
  const std::int64_t last = std::min((part.first_in + part.ins) * block, shape_.in.channels) - 1;
  return last / each - part.first_in * block / each + 1;
}

void DeformConv::plan_tiles(int threads) {
  const Tensor& out = shape_.out;
  const std::int64_t taps = shape_.geometry.taps(), block = out.block, pixels = out.height * out.width;
  depth_blocks_ = std::max<std::int64_t>(1, kDepth / (taps * block));
  sampled_blocks_ = depth_blocks_ > 1 ? depth_blocks_ : kSampledBlocks;
  row_ = sampled_blocks_ * taps * block;
  if (row_ % 256 == 0) row_ += 16;  // rows whole pages apart would take turns in a few lines of L1

  std::int64_t groups = 1;
  for (const Part& part : parts_) groups = std::max(groups, offset_groups_of(part));
  const std::size_t point = SamplePoints::bytes(taps * groups * 16) / 16;  // of one pixel
  std::int64_t most =
      std::min(kTilePixels, std::max<std::int64_t>(8, static_cast<std::int64_t>(kMostPointBytes / point)));
  // As many tiles as keep all threads busy: a multiple of them, as long as tiles are not too small.
  const std::int64_t parts = static_cast<std::int64_t>(parts_.size()) * out.batch;
  std::int64_t count = ceil_div(pixels, most);
  if (parts * count % threads != 0)
    count = std::max(
        count, std::min(ceil_div(ceil_div(parts * count, threads) * threads, parts), ceil_div(pixels, kFewestPixels)));
  constexpr std::int64_t rows = 8;
  tile_pixels_ = ceil_div(ceil_div(pixels, count), rows) * rows;
  tiles_ = ceil_div(pixels, tile_pixels_);
  most_points_ = tile_pixels_ * taps * groups;
  // Where there are fewer tiles than threads, several threads share one, each with outputs of its own.
  const std::int64_t shares = ceil_div(threads, parts * tiles_);
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const std::int64_t panels = parts_[i].panels(), own = std::min(shares, panels);
    for (std::int64_t s = 0; s < own; ++s) slices_.push_back({i, panels * s / own, panels * (s + 1) / own});
  }
}

void DeformConv::prepare(const float* weight, float* prepared) const {
  if (!fast()) {
    std::copy_n(weight, weight_count_, prepared);
    return;
  }
  const std::int64_t taps = shape_.geometry.taps(), groups = shape_.geometry.conv.groups, block = shape_.in.block,
                     group_in = shape_.in.channels / groups, group_out = shape_.out.channels / groups;
  std::fill_n(prepared, weight_count_, 0.0f);
  for (const Part& part : parts_) {
    for (std::int64_t i = 0; i < part.panels(); ++i) {
      const std::int64_t begin = part.panel_begin(i), lanes = (part.panel_begin(i + 1) - begin) * block;
      float* panel = prepared + part.weights + begin * part.ins * taps * block * block;
      for (std::int64_t lane = 0; lane < lanes; ++lane) {
        const std::int64_t o = (part.first_out + begin) * block + lane;
        if (o >= shape_.out.channels) continue;
        const std::int64_t first = o / group_out * group_in;  // input of the group
        for (std::int64_t c = 0; c < group_in; ++c) {
          const std::int64_t j = (first + c) / block - part.first_in;
          for (std::int64_t t = 0; t < taps; ++t)
            panel[((j * taps + t) * block + (first + c) % block) * lanes + lane] =
                weight[(o * group_in + c) * taps + t];
        }
      }
    }
  }
}

std::size_t DeformConv::rows_bytes() const {
  return whole_lines(static_cast<std::size_t>(tile_pixels_ * row_) * sizeof(float));
}

std::size_t DeformConv::scratch_bytes() const {
  if (!fast()) return 0;
  return static_cast<std::size_t>(threads_) * (SamplePoints::bytes(most_points_) + rows_bytes());
}

const float* DeformConv::panel_weights(const Tile& tile, const Part& part, std::int64_t i, std::int64_t j) const {
  const std::int64_t square = shape_.in.block * shape_.in.block * shape_.geometry.taps(), begin = part.panel_begin(i);
  return tile.weights + part.weights + (begin * part.ins + j * (part.panel_begin(i + 1) - begin)) * square;
}

void DeformConv::multiply_panels(const Tile& tile, const Slice& slice, const float* samples, std::int64_t j,
                                 std::int64_t blocks) const {
  static constexpr float zeros[16] = {};
  const Part& part = parts_[slice.part];
  const Tensor& out = tile.out;
  const std::int64_t block = out.block, end = j + blocks;
  for (std::int64_t i = slice.first_panel; i < slice.last_panel; ++i) {
    const std::int64_t begin = part.panel_begin(i), vectors = part.panel_begin(i + 1) - begin,
                       o = part.first_out + begin;
    float* to = out.as<float>() + tile.b * out.batch_stride + o * out.block_stride + tile.first * block;
    VectorRows<const float> start{to, block, out.block_stride};
    if (j == 0 && tile.bias != nullptr) start = {tile.bias + o * block, 0, block};
    if (j == 0 && tile.bias == nullptr) start = {zeros, 0, 0};
    const float* const next = i + 1 < slice.last_panel ? panel_weights(tile, part, i + 1, j)
                              : end < part.ins         ? panel_weights(tile, part, slice.first_panel, end)
                                                       : tile.weights;
    multiply(static_cast<int>(block), {.left = {samples, row_, 1},
                                       .rows = tile.pixels,
                                       .right = panel_weights(tile, part, i, j),
                                       .right_step = vectors * block,
                                       .vectors = static_cast<int>(vectors),
                                       .depth = blocks * shape_.geometry.taps() * block,
                                       .start = start,
                                       .sums = {to, block, out.block_stride},
                                       .next_right = next});
    if (end < part.ins || shape_.activation == Activation::none) continue;
    for (std::int64_t v = 0; v < vectors; ++v, to += out.block_stride)
      activate_block(shape_.activation, shape_.slope, to, tile.pixels, block, out.channels - (o + v) * block, to);
  }
}

void DeformConv::compute(const Tile& tile, const Slice& slice, std::byte* scratch) const {
  const Part& part = parts_[slice.part];
  const std::int64_t taps = shape_.geometry.taps(), block = shape_.in.block;
  auto* const rows = reinterpret_cast<float*>(scratch);
  SamplePoints points(scratch + rows_bytes(), most_points_);
  const std::int64_t group_channels = shape_.in.channels / shape_.geometry.offset_groups;
  points.find(shape_.geometry, tile.in, tile.offsets, tile.out.width, tile.b, tile.first, tile.pixels,
              part.first_in * block / group_channels, offset_groups_of(part));
  for (std::int64_t sampled = 0; sampled < part.ins; sampled += sampled_blocks_) {
    const std::int64_t end = std::min(sampled + sampled_blocks_, part.ins);
    points.sample(tile.in, tile.b, part.first_in + sampled, end - sampled, rows, row_);
    for (std::int64_t j = sampled; j < end; j += depth_blocks_)
      multiply_panels(tile, slice, rows + (j - sampled) * taps * block, j, std::min(depth_blocks_, end - j));
  }
}

void DeformConv::run(const Tensor& in, const Tensor& offsets, const float* weights, const float* bias,
                     const Tensor& out, void* scratch) const {
  if (!fast()) {
    deform_conv_ref(shape_.geometry, in, offsets, weights, bias, shape_.activation, out, shape_.slope);
    return;
  }
  const auto slices = static_cast<std::int64_t>(slices_.size());
  const std::size_t each = SamplePoints::bytes(most_points_) + rows_bytes();
#pragma omp parallel for schedule(dynamic) num_threads(threads_)
  for (std::int64_t item = 0; item < out.batch * tiles_ * slices; ++item) {
    Tile tile{in, offsets, out, weights, bias, item / slices / tiles_, item / slices % tiles_ * tile_pixels_};
    tile.pixels = std::min(tile_pixels_, out.height * out.width - tile.first);
    compute(tile, slices_[static_cast<std::size_t>(item % slices)],
            static_cast<std::byte*>(scratch) + static_cast<std::size_t>(omp_get_thread_num()) * each);
  }
}

}  // namespace maskrt::kernels
