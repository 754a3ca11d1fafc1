#include "conv_kernels.h"

#include "conv_tiles.h"
#include "tile_kernels.h"

namespace maskrt::kernels {
namespace {

/// A kernel of conv_mma_sm80.cu or conv_mma_sm75.cu, whose shared memory is static.
constexpr ConvKernel mma(KernelPath path, const char* name, const MmaTile& tile) {
  const bool dynamic = path == KernelPath::sm80;
  ConvKernel kernel =
      mma_kernel(path, {dynamic ? "conv/conv_mma_sm80" : "conv/conv_mma_sm75", name}, tile, tile.shared_bytes());
  if (!dynamic) kernel.shared_bytes = 0;
  return kernel;
}

/// A kernel of conv_patch_sm80.cu.
constexpr ConvKernel patch(const char* name, const PatchTile& tile) {
  ConvKernel kernel = mma_kernel(KernelPath::sm80, {"conv/conv_patch_sm80", name}, tile.product(), tile.shared_bytes());
  kernel.patch_height = tile.height;
  kernel.stages = tile.stages;
  return kernel;
}

/// A kernel of conv_pairs_sm80.cu.
constexpr ConvKernel pairs(const char* name, const PairTile& tile) {
  ConvKernel kernel = mma_kernel(KernelPath::sm80, {"conv/conv_pairs_sm80", name}, tile.product(), tile.shared_bytes());
  kernel.step = 8;
  kernel.patch_height = tile.height;
  kernel.stages = 1;
  kernel.reads_pairs = true;
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
          .stages_whole_tile = false,
          .norms = tile.norms};
}

#define MASKRT_SM80_F16(name, ...) mma(KernelPath::sm80, #name, {2, __VA_ARGS__}),
#define MASKRT_SM80_TF32(name, ...) mma(KernelPath::sm80, #name, {4, __VA_ARGS__}),
#define MASKRT_SM75(name, ...) mma(KernelPath::sm75, #name, {2, __VA_ARGS__}),
#define MASKRT_SM90(name, ...) wgmma(#name, {__VA_ARGS__}),
#define MASKRT_PATCH(name, ...) patch(#name, {__VA_ARGS__}),
#define MASKRT_PAIRS(name, ...) pairs(#name, {__VA_ARGS__}),
constexpr ConvKernel kKernels[] = {ffma_kernel({"conv/conv_ffma", "conv_ffma_f32"}, DataType::f32),
                                   ffma_kernel({"conv/conv_ffma", "conv_ffma_f16"}, DataType::f16),
                                   MASKRT_CONV_SM80_F16_TILES(MASKRT_SM80_F16)
                                       MASKRT_CONV_SM80_TF32_TILES(MASKRT_SM80_TF32) MASKRT_CONV_SM75_TILES(MASKRT_SM75)
                                           MASKRT_CONV_SM90_TILES(MASKRT_SM90) MASKRT_CONV_PATCH_TILES(MASKRT_PATCH)
                                               MASKRT_CONV_PAIRS_TILES(MASKRT_PAIRS)};
#undef MASKRT_PAIRS
#undef MASKRT_PATCH
#undef MASKRT_SM90
#undef MASKRT_SM75
#undef MASKRT_SM80_TF32
#undef MASKRT_SM80_F16

}  // namespace

std::span<const ConvKernel> conv_kernels() { return kKernels; }

}  // namespace maskrt::kernels
