#include "conv_kernels.h"

#include "conv_tiles.h"

namespace maskrt::kernels {
namespace {

/// A kernel of conv_mma_sm80.cu or conv_mma_sm75.cu.
constexpr ConvKernel mma(KernelPath path, const char* name, const MmaTile& tile) {
  const bool dynamic = path == KernelPath::sm80, tf32 = tile.element_bytes == 4;
  return {.name = {dynamic ? "conv/conv_mma_sm80" : "conv/conv_mma_sm75", name},
          .type = tf32 ? DataType::f32 : DataType::f16,
          .oldest = path,
          .newest = dynamic ? KernelPath::sm90a : KernelPath::sm75,
          .tensor_cores = true,
          .tf32 = tf32,
          .rows = tile.rows,
          .columns = tile.columns,
          .step = tile.step,
          .warp_rows = tile.warp_rows,
          .warp_columns = tile.warp_columns,
          .threads = tile.threads(),
          .shared_bytes = dynamic ? static_cast<std::uint32_t>(tile.shared_bytes()) : 0,
          .resident = tile.resident,
          .stages_whole_tile = tile.stages_whole_tile(tile.shared_bytes())};
}

/// A kernel of conv_patch_sm80.cu.
constexpr ConvKernel patch(const char* name, const PatchTile& tile) {
  ConvKernel kernel = mma(KernelPath::sm80, name, tile.product());
  kernel.name.file = "conv/conv_patch_sm80";
  kernel.shared_bytes = static_cast<std::uint32_t>(tile.shared_bytes());
  kernel.stages_whole_tile = tile.product().stages_whole_tile(tile.shared_bytes());
  kernel.patch_height = tile.height;
  kernel.stages = tile.stages;
  return kernel;
}

/// A kernel of conv_wgmma_sm90.cu.
constexpr ConvKernel wgmma(const char* name, const WgmmaTile& tile) {
  return {.name = {"conv/conv_wgmma_sm90", name},
          .type = DataType::f16,
          .oldest = KernelPath::sm90a,
          .newest = KernelPath::sm90a,
          .tensor_cores = true,
          .tf32 = false,
          .rows = tile.rows(),
          .columns = tile.columns(),
          .step = WgmmaTile::kStep,
          .warp_rows = tile.group_pixels,
          .warp_columns = 64,
          .threads = WgmmaTile::kThreads,
          .shared_bytes = static_cast<std::uint32_t>(tile.shared_bytes()),
          .resident = WgmmaTile::kResident,
          .stages_whole_tile = false};
}

/// A kernel of conv_ffma.cu. For the cost model, the tile of a warp is the shape of its reads of shared memory.
constexpr ConvKernel ffma(const char* name, DataType type) {
  return {.name = {"conv/conv_ffma", name},
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

#define MASKRT_SM80_F16(name, ...) mma(KernelPath::sm80, #name, {2, __VA_ARGS__}),
#define MASKRT_SM80_TF32(name, ...) mma(KernelPath::sm80, #name, {4, __VA_ARGS__}),
#define MASKRT_SM75(name, ...) mma(KernelPath::sm75, #name, {2, __VA_ARGS__}),
#define MASKRT_SM90(name, ...) wgmma(#name, {__VA_ARGS__}),
#define MASKRT_PATCH(name, ...) patch(#name, {__VA_ARGS__}),
constexpr ConvKernel kKernels[] = {ffma("conv_ffma_f32", DataType::f32), ffma("conv_ffma_f16", DataType::f16),
                                   MASKRT_CONV_SM80_F16_TILES(MASKRT_SM80_F16)
                                       MASKRT_CONV_SM80_TF32_TILES(MASKRT_SM80_TF32) MASKRT_CONV_SM75_TILES(MASKRT_SM75)
                                           MASKRT_CONV_SM90_TILES(MASKRT_SM90) MASKRT_CONV_PATCH_TILES(MASKRT_PATCH)};
#undef MASKRT_PATCH
#undef MASKRT_SM90
#undef MASKRT_SM75
#undef MASKRT_SM80_TF32
#undef MASKRT_SM80_F16

}  // namespace

std::span<const ConvKernel> conv_kernels() { return kKernels; }

}  // namespace maskrt::kernels
