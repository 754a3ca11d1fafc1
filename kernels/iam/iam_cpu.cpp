#include <algorithm>
#include <limits>
#include <vector>

#include "../exponential.h"
#include "../lines.h"
#include "../rows.h"
#include "iam.h"

namespace maskrt::kernels {
namespace {

constexpr std::int64_t stretch = 512;  // positions weighed at a time: 32 KB of one block of 16 maps
constexpr int tile_maps = 4, tile_blocks = 4;

template <int Block>
using Vector [[gnu::vector_size(Block * sizeof(float)), gnu::aligned(4), gnu::may_alias]] = float;

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

/// All maps of a block times all blocks of features. Positions come in short runs, so that a run of four blocks of
/// features stays in the first-level cache (16 KB) while one group of maps after another takes it from there.
template <int Block>
[[gnu::always_inline]] inline void add_block(const float* maps, const float* features, std::int64_t block_stride,
                                             std::int64_t blocks, std::int64_t n, float* sums,
                                             std::int64_t sums_stride) {
  constexpr std::int64_t run = 64;
  for (std::int64_t j = 0; j < blocks;) {
    const bool whole_tile = j + tile_blocks <= blocks;
    for (std::int64_t p = 0; p < n; p += run) {
      const std::int64_t length = n - p < run ? n - p : run;
      const float* feature = features + j * block_stride + p * Block;
      for (int m = 0; m < Block; m += tile_maps) {
        const float* map = maps + p * Block + m;
        float* sum = sums + m * sums_stride + j * Block;
        if (whole_tile) {
          add_products<Block, tile_maps, tile_blocks>(map, feature, block_stride, length, sum, sums_stride);
        } else {
          add_products<Block, tile_maps, 1>(map, feature, block_stride, length, sum, sums_stride);
        }
      }
    }
    j += whole_tile ? tile_blocks : 1;
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

MASKRT_CLONES void sigmoid_row(const float* in, std::int64_t n, float* out) {
  for (std::int64_t i = 0; i < n; ++i) out[i] = logistic(in[i]);
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

/// One block of maps of one image: weighs, multiplies, divides and writes its rows of the list.
void aggregate_block(const Tensor& maps, std::int64_t b, std::int64_t k, const Tensor& features, MapWeights weights,
                     float epsilon, const Tensor& out, std::int64_t first_row) {
  const std::int64_t block = maps.block, blocks = features.blocks(), positions = maps.height * maps.width;
  const std::int64_t width = blocks * block;
  std::vector<float> weighed(static_cast<std::size_t>(std::min(positions, stretch) * block));
  std::vector<float> products(static_cast<std::size_t>(block * width), 0.0f);
  // Sums of up to 512 numbers in fp32, sums of those in double: the divisor is a sum over all positions.
  std::vector<double> divisor(static_cast<std::size_t>(block), 0.0);
  std::vector<float> partial(static_cast<std::size_t>(block)),
      most(static_cast<std::size_t>(block), -std::numeric_limits<float>::infinity());
  const float* from = line<float>(maps, b, k, 0);
  if (weights == MapWeights::softmax) most_rows(from, positions, block, most.data());
  for (std::int64_t begin = 0; begin < positions; begin += stretch) {
    const std::int64_t n = std::min(stretch, positions - begin);
    const float* logits = from + begin * block;
    const float* weight = weighed.data();
    if (weights == MapWeights::plain) {
      weight = logits;
    } else {
      if (weights == MapWeights::sigmoid) {
        sigmoid_row(logits, n * block, weighed.data());
      } else {
        exponential_rows(logits, most.data(), n, block, weighed.data());
      }
      std::fill(partial.begin(), partial.end(), 0.0f);
      add_rows(weight, n, block, partial.data());
      for (std::size_t i = 0; i < partial.size(); ++i) divisor[i] += partial[i];
    }
    (block == 16 ? add_block_16 : add_block_8)(weight, line<float>(features, b, 0, 0) + begin * block,
                                               features.block_stride, blocks, n, products.data(), width);
  }
  const std::int64_t used = std::min(block, maps.channels - k * block);
  for (std::int64_t m = 0; m < used; ++m) {
    const double sum = divisor[static_cast<std::size_t>(m)];
    const float scale = weights == MapWeights::plain ? 1.0f
                        : weights == MapWeights::sigmoid
                            ? static_cast<float>(1.0 / std::max(sum, static_cast<double>(epsilon)))
                            : static_cast<float>(1.0 / sum);
    float* to = out.as<float>() + out.index(b, first_row + k * block + m, 0, 0);
    for (std::int64_t c = 0; c < features.channels; ++c)
      to[c] = products[static_cast<std::size_t>(m * width + c)] * scale;
  }
}

}  // namespace

void aggregate_cpu(std::span<const Tensor> maps, const Tensor& features, MapWeights weights, double epsilon,
                   const Tensor& out) {
  struct Task {
    std::int64_t b, k, first_row;
    const Tensor* maps;
  };
  std::vector<Task> tasks;
  bool fast = (features.block == 16 || features.block == 8) && out.block == out.channels;
  for (std::int64_t b = 0; b < out.batch; ++b) {
    std::int64_t row = 0;
    for (const Tensor& part : maps) {
      fast = fast && same_lines(part, features);
      for (std::int64_t k = 0; k < part.blocks(); ++k) tasks.push_back({b, k, row, &part});
      row += part.channels;
    }
  }
  if (!fast) {
    aggregate_ref(maps, features, weights, epsilon, out);
    return;
  }
  const std::int64_t count = static_cast<std::int64_t>(tasks.size());
#pragma omp parallel for schedule(static)
  for (std::int64_t i = 0; i < count; ++i) {
    const Task& task = tasks[static_cast<std::size_t>(i)];
    aggregate_block(*task.maps, task.b, task.k, features, weights, static_cast<float>(epsilon), out, task.first_row);
  }
}

}  // namespace maskrt::kernels
