#include "conv_cost.h"

#include <algorithm>

#include "conv_tiles.h"

namespace maskrt::kernels {
namespace {

constexpr double kWgmmaStepCycles = 20;  // kStepCycles of asynchronous products (wgmma)

double ceil_div(std::int64_t a, std::int64_t b) { return static_cast<double>((a + b - 1) / b); }

/// Tiles of pixels, a whole number of clusters.
std::int64_t row_tiles_of_clusters(const ConvKernel& kernel, const ConvGemm& gemm) {
  return (row_tiles(kernel, gemm) + kernel.cluster() - 1) / kernel.cluster() * kernel.cluster();
}

/// One step of one block.
struct StepBytes {
  double depth;      // elements that are multiplied
  double fragments;  // bytes that warps read from shared memory
  double loaded;     // bytes that are written to it
  double drawn;      // bytes that come from L2
};

StepBytes step_bytes(const ConvKernel& kernel, const ConvGemm& gemm) {
  const double element = static_cast<double>(size_of(kernel.type));
  const double tile = static_cast<double>(kernel.rows) * kernel.columns;
  if (kernel.reads_pairs) {
    const double lines = (kernel.patch_height - 1) * PairTile::kStride + PairTile::kMostLines;
    const double depth = static_cast<double>(gemm.taps) * kernel.step;
    const double columns = std::min(static_cast<double>(gemm.columns), static_cast<double>(kernel.columns));
    const double patch = lines * PairTile::kLinePairs * kernel.step * element;
    return {depth, tile * depth * element * (1.0 / kernel.warp_rows + 1.0 / kernel.warp_columns),
            patch + kernel.columns * depth * element, patch + columns * depth * element};
  }
  if (kernel.reads_patch()) {
    constexpr int halo = PatchTile::kMostTaps - 1;
    const int width = kernel.rows / kernel.patch_height;
    const double pixels = (kernel.patch_height + halo) * (width + halo), taps = static_cast<double>(gemm.taps);
    const double columns = std::min(static_cast<double>(gemm.columns), static_cast<double>(kernel.columns));
    // The taps of a column of the kernel share the pixels.
    const double column = static_cast<double>(gemm.kernel_height), columns_of_taps = taps / column;
    const double read = kernel.warp_rows + halo * width + column * kernel.warp_columns;
    const double warps = tile / (kernel.warp_rows * kernel.warp_columns);
    return {taps * kernel.step, warps * columns_of_taps * read * kernel.step * element,
            (pixels + taps * kernel.columns) * kernel.step * element,
            (pixels + taps * columns) * kernel.step * element};
  }
  return {static_cast<double>(kernel.step),
          tile * kernel.step * element * (1.0 / kernel.warp_rows + 1.0 / kernel.warp_columns),
          static_cast<double>(kernel.rows + kernel.columns) * kernel.step * element,
          (kernel.rows + static_cast<double>(kernel.columns) / kernel.cluster()) * kernel.step * element};
}

}  // namespace

ConvRates conv_rates(const Chip& chip) {
  // Per multiprocessor and cycle, from the vendor's architecture papers; GeForce chips (86, 89, 120) halve f32 sums.
  switch (chip.compute_capability) {
    case 75:
      return {1.5e9, 1024, 0, 128, 64, 30, 6};
    case 80:
      return {1.4e9, 2048, 0, 128, 128, 40, 12};
    case 86:
    case 89:
      return {1.7e9, 512, 0, 256, 128, 30, 5};
    case 90:
      return {1.5e9, 2600, 4096, 256, 128, 32, 22};
    default:
      return {2.0e9, 512, 0, 256, 128, 30, 5};
  }
}

int resident_blocks(const ConvKernel& kernel, const Chip& chip) {
  constexpr std::uint32_t reserved = 1024;  // bytes of shared memory that CUDA reserves for each block
  if (kernel.shared_bytes > chip.shared_per_block) return 0;
  const auto by_shared = chip.shared_per_multiprocessor / (kernel.shared_bytes + reserved);
  return std::max(std::min(kernel.resident, static_cast<int>(by_shared)), 1);
}

bool clusters_fit(std::int64_t clusters, int blocks, const Chip& chip) {
  const auto size = static_cast<std::size_t>(blocks);
  if (size < chip.resident_clusters.size() && chip.resident_clusters[size] > 0)
    return clusters <= chip.resident_clusters[size];
  // A GPC has about 16 multiprocessors. Up to blocks - 2 of each may be left over; half of that counts as lost.
  const int held = (chip.multiprocessors - chip.multiprocessors / 16 * (blocks - 2) / 2) / blocks;
  return clusters <= held;
}

int splits_in_cluster(const ConvKernel& kernel, const ConvGemm& gemm, int splits, const Chip& chip) {
  const bool of_rows = kernel.stages_whole_tile && chip.path() == KernelPath::sm90a && splits >= 2 && splits <= 8;
  const bool of_pairs = kernel.uses_tma() && (splits == 2 || splits == 4);
  if (!of_rows && !of_pairs) return 1;
  const int blocks = kernel.cluster() * splits;
  const std::int64_t clusters = row_tiles_of_clusters(kernel, gemm) / kernel.cluster() *
                                ((gemm.columns + kernel.columns - 1) / kernel.columns) * gemm.groups;
  return clusters_fit(clusters, blocks, chip) ? splits : 1;
}

double grid_cycles(const BlockCycles& block, std::int64_t blocks, std::int64_t multiprocessors, std::int64_t resident,
                   bool overlaps_waves) {
  const auto wave = [&](std::int64_t together) {
    const double alone = block.steps * (block.step + block.overhead) + block.fill + block.tail;
    const double shared = static_cast<double>(together) * (block.steps * block.step + block.tail) + block.fill;
    return std::max(alone, shared);
  };
  const std::int64_t slots = multiprocessors * resident, full = blocks / slots, rest = blocks % slots;
  double cycles = static_cast<double>(full) * wave(resident);
  if (rest > 0) cycles += wave((rest + multiprocessors - 1) / multiprocessors);
  // Where waves overlap, only the first one's prologue is exposed.
  const std::int64_t waves = full + (rest > 0 ? 1 : 0);
  if (waves > 1 && (resident > 1 || overlaps_waves)) cycles -= static_cast<double>(waves - 1) * block.fill;
  return cycles;
}

double predicted_seconds(const ConvKernel& kernel, const ConvGemm& gemm, int splits, const Chip& chip) {
  const ConvRates rates = conv_rates(chip);
  const double tile = static_cast<double>(kernel.rows) * kernel.columns;

  // Cycles of one step of one block that has the multiprocessor to itself.
  const double rate = kernel.uses_tma()     ? rates.wgmma_flops
                      : kernel.tensor_cores ? rates.tensor_flops / (kernel.tf32 ? 2 : 1)
                                            : rates.fp32_flops;
  const StepBytes bytes = step_bytes(kernel, gemm);
  const double flops = 2 * tile * bytes.depth / rate, drawn = bytes.drawn / rates.l2_bytes;
  const double bound = std::max({flops, (bytes.fragments + bytes.loaded) / rates.shared_bytes, drawn});

  const double tiles = static_cast<double>(row_tiles_of_clusters(kernel, gemm)) *
                       ceil_div(gemm.columns, kernel.columns) * static_cast<double>(gemm.groups);
  const auto blocks = static_cast<std::int64_t>(tiles) * splits;
  const std::int64_t multiprocessors = std::max(chip.multiprocessors / kernel.cluster() * kernel.cluster(), 1);
  const std::int64_t resident = std::max(resident_blocks(kernel, chip), 1);
  const double steps = ceil_div(steps_of(kernel, gemm), splits);
  double overhead = kernel.uses_tma() ? kWgmmaStepCycles : kStepCycles, fill = kFillCycles;
  if (kernel.reads_patch()) fill += drawn;
  if (kernel.reads_patch() && kernel.stages == 1) overhead += (kLoadCycles + drawn) * (steps - 1) / steps;

  // The epilogue's traffic of a block. Split-K: each block writes its partial sums and the last one reads all; within a
  // cluster the blocks exchange them at the rate of L2.
  const double out_bytes = static_cast<double>(gemm.out_bytes) / static_cast<double>(blocks);
  const int cluster_splits = splits_in_cluster(kernel, gemm, splits, chip);
  double tail = 200 + out_bytes / rates.l2_bytes + 2 * tile / cluster_splits * 4 / rates.shared_bytes;
  if (cluster_splits > 1) {
    tail += kExchangeCycles + tile * 4 * (cluster_splits - 1) / cluster_splits / rates.l2_bytes;
  } else if (splits > 1) {
    tail += 1000 + tile * 4 * (1 + splits) / rates.l2_bytes;
  }

  const double cycles =
      grid_cycles({steps, bound, overhead, fill, tail}, blocks, multiprocessors, resident, kernel.uses_tma());
  const double memory = static_cast<double>(gemm.bytes) / (rates.memory_bytes * static_cast<double>(multiprocessors));
  return std::max(cycles, memory + kFillCycles) / rates.hertz;
}

}  // namespace maskrt::kernels
