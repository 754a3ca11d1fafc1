// Kernels as a plan chooses among them, of the tiles that device code instantiates: of convolutions and of those that
// sample.
#pragma once

#include "conv_kernels.h"
#include "conv_tiles.h"

namespace maskrt::kernels {

/// mma.sync. `path`: sm75 for that chip alone, sm80 for it and all after it. `shared_bytes`: of a block, for its
/// stages.
constexpr ConvKernel mma_kernel(KernelPath path, KernelName name, const MmaTile& tile, int shared_bytes) {
  const bool tf32 = tile.element_bytes == 4;
  return {.name = name,
          .type = tf32 ? DataType::f32 : DataType::f16,
          .oldest = path,
          .newest = path == KernelPath::sm80 ? KernelPath::sm90a : KernelPath::sm75,
          .tensor_cores = true,
          .tf32 = tf32,
          .rows = tile.rows,
          .columns = tile.columns,
          .step = tile.step,
          .warp_rows = tile.warp_rows,
          .warp_columns = tile.warp_columns,
          .threads = tile.threads(),
          .shared_bytes = static_cast<std::uint32_t>(shared_bytes),
          .resident = tile.resident,
          .stages_whole_tile = tile.stages_whole_tile(shared_bytes)};
}

/// FP32 pipes, with static shared memory. For the cost model, the tile of a warp is the shape of its reads of that.
constexpr ConvKernel ffma_kernel(KernelName name, DataType type) {
  return {.name = name,
          .type = type,
          .oldest = KernelPath::sm75,
          .newest = KernelPath::sm90a,
          .tensor_cores = false,
          .tf32 = false,
          .rows = FfmaTile::kRows,
          .columns = FfmaTile::kColumns,
          .step = FfmaTile::step(type == DataType::f32 ? 4 : 2),
          .warp_rows = 16,
          .warp_columns = 64,
          .threads = FfmaTile::kThreads,
          .shared_bytes = 0,
          .resident = FfmaTile::kResident,
          .stages_whole_tile = false};
}

}  // namespace maskrt::kernels
