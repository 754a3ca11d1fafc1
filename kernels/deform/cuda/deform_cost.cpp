#include "deform_cost.h"

#include <algorithm>

#include "deform_tiles.h"

namespace maskrt::kernels {
namespace {

/// Instructions of a warp, as nvcc compiles them for sm_90.
struct Instructions {
  double sample;       ///< of 32 sampled chunks
  double sample_fp32;  ///< of these, those of the FP32 pipes
};
constexpr Instructions kF16 = {96, 68}, kF32 = {56, 16};
constexpr double kCopy = 9;                                                       ///< of copying 32 chunks of weights
constexpr double kStep = 60;                                                      ///< of a step besides
constexpr double kSchedulers = 4, kIssueShare = 0.8, kIssueShareOfOneWarp = 0.5;  ///< of a scheduler's cycles
constexpr double kWgmmaStepCycles = 20;   ///< kStepCycles of asynchronous products (wgmma)
constexpr double kCornersCycles = 1200;   ///< of a prologue: loads of offsets, corners, loads of the first samples
constexpr double kSpread = 1;             ///< pixels that offsets are taken to reach, on each side
constexpr double kCacheBytes = 28 << 10;  ///< of L1 at least, beside what shared memory can have

double ceil_div(std::int64_t a, std::int64_t b) { return static_cast<double>((a + b - 1) / b); }

/// Bytes that the samples of a step bring from L2.
double sampled_bytes(const ConvKernel& kernel, const DeformGemm& gemm, const Chip& chip) {
  if (gemm.pooled) return 4.0 * kernel.rows * kernel.step * static_cast<double>(size_of(kernel.type));
  const auto rows = static_cast<double>(kernel.rows), across = static_cast<double>(gemm.out_width);
  const double around = gemm.reach + 2 + 2 * kSpread;
  const double high = std::min(rows / across * gemm.stride + around, static_cast<double>(gemm.height));
  const double wide = std::min(std::min(rows, across) * gemm.stride + around, static_cast<double>(gemm.width));
  const double resident = std::max(resident_blocks(kernel, chip), 1);
  const double cache = chip.shared_per_multiprocessor + kCacheBytes - resident * (kernel.shared_bytes + 1024);
  const double step_bytes = static_cast<double>(kernel.step * size_of(kernel.type));
  const double touched = high * wide * step_bytes;  // of all taps that sample the same channels
  if (touched * resident <= cache) return touched / static_cast<double>(gemm.run_taps);
  return std::min(touched, 2 * rows * step_bytes);
}

/// Cycles of what bounds a step of one block.
double step_cycles(const ConvKernel& kernel, const DeformGemm& gemm, const ConvRates& rates, const Chip& chip) {
  const auto element = static_cast<double>(size_of(kernel.type));
  const double tile = static_cast<double>(kernel.rows) * kernel.columns;
  const double warps = (kernel.threads - (kernel.uses_tma() ? DeformWgmmaTile::kConsumers : 0)) / 32.0;  // that sample
  const double rate = kernel.uses_tma()     ? rates.wgmma_flops
                      : kernel.tensor_cores ? rates.tensor_flops / (kernel.tf32 ? 2 : 1)
                                            : rates.fp32_flops;
  const double products = 2 * tile * kernel.step / rate;

  const Instructions& counts = kernel.type == DataType::f16 ? kF16 : kF32;
  const double samples = kernel.rows * kernel.step * element / 16 / 32;
  const double copies = kernel.columns * kernel.step * element / 16 / 32;
  const double of_mma = kernel.tensor_cores ? 16 * 8 * (kernel.tf32 || kernel.newest == KernelPath::sm75 ? 8 : 16) : 32;
  const double of_ldmatrix = 32 * 16 / element;  // elements that one loads
  const double fragments = tile * kernel.step * (1.0 / kernel.warp_rows + 1.0 / kernel.warp_columns);
  const double fragment_loads = kernel.tensor_cores ? fragments / of_ldmatrix : fragments / 4 / 32;
  const double multiplies = tile * kernel.step / of_mma;
  // wgmma and TMA are a few instructions of other warps.
  const double of_operands = kernel.uses_tma() ? 0 : copies * kCopy + multiplies + fragment_loads;
  const double issued = samples * counts.sample + of_operands + warps * kStep;
  const double issue_rate = kSchedulers * std::min(kIssueShare, kIssueShareOfOneWarp * warps / kSchedulers);
  const double fp32 = samples * counts.sample_fp32 + (kernel.tensor_cores ? 0 : multiplies);

  const double stored = static_cast<double>(kernel.rows + kernel.columns) * kernel.step * element;
  const double corners = 4.0 * kernel.rows * kernel.step * element;
  const double table = samples * 2 * 128;
  const double shared = stored + fragments * element + corners + table;
  const double drawn = kernel.columns * kernel.step * element + sampled_bytes(kernel, gemm, chip);
  return std::max({products, issued / issue_rate, fp32 * 64 / rates.fp32_flops, shared / rates.shared_bytes,
                   drawn / rates.l2_bytes});
}

}  // namespace

bool adds_in_cluster(const ConvKernel& kernel, const DeformGemm& gemm, int splits, const Chip& chip) {
  if (chip.path() != KernelPath::sm90a || !kernel.stages_whole_tile || splits < 2 || splits > 8) return false;
  const std::int64_t clusters = (gemm.pixels + kernel.rows - 1) / kernel.rows *
                                ((gemm.columns + kernel.columns - 1) / kernel.columns) * gemm.groups;
  return clusters_fit(clusters, splits, chip);
}

double predicted_seconds(const ConvKernel& kernel, const DeformGemm& gemm, int splits, const Chip& chip) {
  const ConvRates rates = conv_rates(chip);
  const double tile = static_cast<double>(kernel.rows) * kernel.columns;
  const double tiles =
      ceil_div(gemm.pixels, kernel.rows) * ceil_div(gemm.columns, kernel.columns) * static_cast<double>(gemm.groups);
  const auto blocks = static_cast<std::int64_t>(tiles) * splits;
  const double out_bytes = static_cast<double>(gemm.out_bytes) / static_cast<double>(blocks);
  const bool cluster = adds_in_cluster(kernel, gemm, splits, chip);
  double tail = 200 + out_bytes / rates.l2_bytes + 2 * tile / (cluster ? splits : 1) * 4 / rates.shared_bytes;
  if (cluster) {
    tail += kExchangeCycles + tile * 4 * (splits - 1) / splits / rates.l2_bytes;
  } else if (splits > 1) {
    tail += 1000 + tile * 4 * (1 + splits) / rates.l2_bytes;
  }
  const BlockCycles block = {ceil_div(gemm.depth / kernel.step, splits), step_cycles(kernel, gemm, rates, chip),
                             kernel.uses_tma() ? kWgmmaStepCycles : kStepCycles, kFillCycles + kCornersCycles, tail};
  const std::int64_t multiprocessors = std::max(chip.multiprocessors, 1);
  const std::int64_t resident = std::max(resident_blocks(kernel, chip), 1);
  const double cycles = grid_cycles(block, blocks, multiprocessors, resident, false);
  const double memory = static_cast<double>(gemm.bytes) / (rates.memory_bytes * static_cast<double>(multiprocessors));
  return std::max(cycles, memory + kFillCycles) / rates.hertz;
}

}  // namespace maskrt::kernels
