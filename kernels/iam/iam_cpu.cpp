#include <omp.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "iam.h"
#include "kernels/cpu/activate_row.h"
#include "kernels/cpu/exponential.h"
#include "kernels/cpu/lines.h"
#include "kernels/cpu/rows.h"
#include "kernels/cpu/vector.h"

namespace maskrt::kernels {
namespace {

// Positions of a tile: 16 KiB of one block of 16 maps fit L1, and 256 KiB of 256 features fit L2, where they are reused
// by one block of maps after the other.
constexpr std::int64_t kTilePositions = 256;
constexpr int kTileMaps = 4, kTileBlocks = 4;

/// sums[m][j * Block + i] += sum over n positions of maps[p][m] * features[j][p][i], for Maps maps and Blocks blocks of
/// features that lie block_stride apart. Rows of `sums` lie sums_stride apart.
template <int Block, int Maps, int Blocks>
[[gnu::always_inline]] inline void add_products(const float* maps, const float* features, std::int64_t block_stride,
                                                std::int64_t n, float* sums, std::int64_t sums_stride) {
  using V = Vector<Block>;
  V total[Maps][Blocks] = {};
  for (std::int64_t p = 0; p < n; ++p) {
    for (int j = 0; j < Blocks; ++j) {
      const V feature = *reinterpret_cast<const V*>(features + j * block_stride + p * Block);
      for (int m = 0; m < Maps; ++m) total[m][j] += feature * maps[p * Block + m];
    }
  }
  for (int m = 0; m < Maps; ++m)
    for (int j = 0; j < Blocks; ++j) *reinterpret_cast<V*>(sums + m * sums_stride + j * Block) += total[m][j];
}

/// All maps of a block times all blocks of features. Positions are tiled again by 64, so that four blocks of features
/// (16 KiB) stay in L1 while they are multiplied by one group of maps after the other.
template <int Block>
[[gnu::always_inline]] inline void add_block(const float* maps, const float* features, std::int64_t block_stride,
                                             std::int64_t blocks, std::int64_t n, float* sums,
                                             std::int64_t sums_stride) {
  constexpr std::int64_t run = 64;
  for (std::int64_t j = 0; j < blocks;) {
    const bool whole_tile = j + kTileBlocks <= blocks;
    for (std::int64_t p = 0; p < n; p += run) {
      const std::int64_t length = n - p < run ? n - p : run;
      const float* feature = features + j * block_stride + p * Block;
      for (int m = 0; m < Block; m += kTileMaps) {
        const float* map = maps + p * Block + m;
        float* sum = sums + m * sums_stride + j * Block;
        if (whole_tile) {
          add_products<Block, kTileMaps, kTileBlocks>(map, feature, block_stride, length, sum, sums_stride);
        } else {
          add_products<Block, kTileMaps, 1>(map, feature, block_stride, length, sum, sums_stride);
        }
      }
    }
    j += whole_tile ? kTileBlocks : 1;
  }
}

MASKRT_CLONES void add_block_16(const float* maps, const float* features, std::int64_t block_stride,
                                std::int64_t blocks, std::int64_t n, float* sums, std::int64_t sums_stride) {
  add_block<16>(maps, features, block_stride, blocks, n, sums, sums_stride);
}

MASKRT_CLONES void add_block_8(const float* maps, const float* features, std::int64_t block_stride, std::int64_t blocks,
                               std::int64_t n, float* sums, std::int64_t sums_stride) {
  add_block<8>(maps, features, block_stride, blocks, n, sums, sums_stride);
}

/// out = e^(in - most), `block` maps a position.
MASKRT_CLONES void exponential_rows(const float* in, const float* most, std::int64_t n, std::int64_t block,
                                    float* out) {
  for (std::int64_t p = 0; p < n; ++p)
    for (std::int64_t i = 0; i < block; ++i) out[p * block + i] = exponential(in[p * block + i] - most[i]);
}

MASKRT_CLONES void add_rows(const float* in, std::int64_t n, std::int64_t block, float* sums) {
  for (std::int64_t p = 0; p < n; ++p)
    for (std::int64_t i = 0; i < block; ++i) sums[i] += in[p * block + i];
}

MASKRT_CLONES void most_rows(const float* in, std::int64_t n, std::int64_t block, float* most) {
  for (std::int64_t p = 0; p < n; ++p)
    for (std::int64_t i = 0; i < block; ++i) most[i] = in[p * block + i] > most[i] ? in[p * block + i] : most[i];
}

/// One block of maps of one image and its partial sums.
class MapBlock {
 public:
  MapBlock(const Tensor& maps, std::int64_t b, std::int64_t k, std::int64_t first_row, const Tensor& features,
           MapWeights weights)
      : maps_(maps),
        features_(features),
        weights_(weights),
        b_(b),
        first_row_(first_row + k * maps.block),
        rows_(std::min(maps.block, maps.channels - k * maps.block)),
        logits_(line<float>(maps, b, k, 0)),
        width_(features.blocks() * features.block) {}

  std::int64_t image() const { return b_; }

  void begin() {
    const auto block = static_cast<std::size_t>(maps_.block);
    products_.assign(block * static_cast<std::size_t>(width_), 0.0f);
    divisor_.assign(block, 0.0);
    partial_.resize(block);
    most_.assign(block, -std::numeric_limits<float>::infinity());
    if (weights_ == MapWeights::softmax) most_rows(logits_, maps_.height * maps_.width, maps_.block, most_.data());
  }

  /// Adds the products of n positions. `weighed` is scratch memory for their weights.
  void add(std::int64_t begin, std::int64_t n, float* weighed) {
    const std::int64_t block = maps_.block;
    const float* logits = logits_ + begin * block;
    const float* weight = weighed;
    if (weights_ == MapWeights::plain) {
      weight = logits;
    } else {
      if (weights_ == MapWeights::sigmoid) {
        activate_row(Activation::sigmoid, 0, logits, n * block, weighed);
      } else {
        exponential_rows(logits, most_.data(), n, block, weighed);
      }
      // Summed in fp32 within a tile and in double over tiles: the divisor is a sum over all positions.
      std::fill(partial_.begin(), partial_.end(), 0.0f);
      add_rows(weight, n, block, partial_.data());
      for (std::size_t i = 0; i < partial_.size(); ++i) divisor_[i] += partial_[i];
    }
    (block == 16 ? add_block_16 : add_block_8)(weight, line<float>(features_, b_, 0, 0) + begin * block,
                                               features_.block_stride, features_.blocks(), n, products_.data(), width_);
  }

  /// Divides by the normaliser and writes the rows of the list.
  void write(const Tensor& out, double epsilon) const {
    for (std::int64_t m = 0; m < rows_; ++m) {
      double divisor = 1;
      if (weights_ != MapWeights::plain) divisor = divisor_[static_cast<std::size_t>(m)];
      if (weights_ == MapWeights::sigmoid) divisor = std::max(divisor, epsilon);
      const float scale = static_cast<float>(1.0 / divisor);
      float* to = out.as<float>() + out.index(b_, first_row_ + m, 0, 0);
      for (std::int64_t c = 0; c < features_.channels; ++c)
        to[c] = products_[static_cast<std::size_t>(m * width_ + c)] * scale;
    }
  }

 private:
  const Tensor& maps_;
  const Tensor& features_;
  MapWeights weights_;
  std::int64_t b_, first_row_, rows_;
  const float* logits_;
  std::int64_t width_;
  std::vector<float> products_, partial_, most_;
  std::vector<double> divisor_;
};

}  // namespace

void aggregate_cpu(std::span<const Tensor> maps, const Tensor& features, MapWeights weights, double epsilon,
                   const Tensor& out) {
  bool fast = (features.block == 16 || features.block == 8) && out.block == out.channels;
  for (const Tensor& part : maps) fast = fast && same_lines(part, features);
  if (!fast) {
    aggregate_ref(maps, features, weights, epsilon, out);
    return;
  }
  std::vector<MapBlock> blocks;
  for (std::int64_t b = 0; b < out.batch; ++b) {
    std::int64_t row = 0;
    for (const Tensor& part : maps) {
      for (std::int64_t k = 0; k < part.blocks(); ++k) blocks.emplace_back(part, b, k, row, features, weights);
      row += part.channels;
    }
  }
  const std::int64_t positions = features.height * features.width, count = static_cast<std::int64_t>(blocks.size());
  ParallelFailure failure;
#pragma omp parallel
  failure.guard([&] {
    const std::int64_t threads = omp_get_num_threads(), thread = omp_get_thread_num();
    const std::int64_t first = count * thread / threads, last = count * (thread + 1) / threads;
    std::vector<float> weighed(static_cast<std::size_t>(std::min(positions, kTilePositions) * features.block));
    for (std::int64_t from = first, to = first; from < last; from = to) {
      while (to < last &&
             blocks[static_cast<std::size_t>(to)].image() == blocks[static_cast<std::size_t>(from)].image())
        ++to;
      const std::span<MapBlock> own(&blocks[static_cast<std::size_t>(from)], static_cast<std::size_t>(to - from));
      for (MapBlock& block : own) block.begin();
      for (std::int64_t begin = 0; begin < positions; begin += kTilePositions)
        for (MapBlock& block : own) block.add(begin, std::min(kTilePositions, positions - begin), weighed.data());
      for (const MapBlock& block : own) block.write(out, epsilon);
    }
  });
  failure.rethrow();
}

}  // namespace maskrt::kernels
