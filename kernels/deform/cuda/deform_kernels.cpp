#include "deform_kernels.h"

#include "deform_tiles.h"
#include "kernels/conv/cuda/tile_kernels.h"

namespace maskrt::kernels {
namespace {

/// A kernel of deform_mma_sm80.cu or deform_mma_sm75.cu.
constexpr ConvKernel mma(KernelPath path, const char* name, const MmaTile& tile) {
  const char* const file = path == KernelPath::sm80 ? "deform/deform_mma_sm80" : "deform/deform_mma_sm75";
  return mma_kernel(path, {file, name}, tile, deform_shared_bytes(tile));
}

/// A kernel of deform_wgmma_sm90.cu.
constexpr ConvKernel wgmma(const char* name, const DeformWgmmaTile& tile) {
  return {.name = {"deform/deform_wgmma_sm90", name},
          .type = DataType::f16,
          .oldest = KernelPath::sm90a,
          .newest = KernelPath::sm90a,
          .tensor_cores = true,
          .tf32 = false,
          .rows = tile.pixels,
          .columns = DeformWgmmaTile::kColumns,
          .step = DeformWgmmaTile::kStep,
          .warp_rows = tile.pixels,
          .warp_columns = 64,
          .threads = tile.threads(),
          .shared_bytes = static_cast<std::uint32_t>(tile.shared_bytes()),
          .resident = DeformWgmmaTile::kResident,
          .stages_whole_tile = true};
}

/// A kernel of deform_ffma.cu.
constexpr ConvKernel ffma(const char* name, DataType type) {
  ConvKernel kernel = ffma_kernel({"deform/deform_ffma", name}, type);
  kernel.shared_bytes = kDeformFfmaSharedBytes;
  kernel.resident = kDeformFfmaResident;
  return kernel;
}

#define MASKRT_SM80_F16(name, ...) mma(KernelPath::sm80, #name, {2, __VA_ARGS__}),
#define MASKRT_SM80_TF32(name, ...) mma(KernelPath::sm80, #name, {4, __VA_ARGS__}),
#define MASKRT_SM75(name, ...) mma(KernelPath::sm75, #name, {2, __VA_ARGS__}),
#define MASKRT_SM90(name, ...) wgmma(#name, {__VA_ARGS__}),
constexpr ConvKernel kKernels[] = {ffma("deform_ffma_f32", DataType::f32), ffma("deform_ffma_f16", DataType::f16),
                                   MASKRT_DEFORM_SM80_F16_TILES(MASKRT_SM80_F16)
                                       MASKRT_DEFORM_SM80_TF32_TILES(MASKRT_SM80_TF32)
                                           MASKRT_DEFORM_SM75_TILES(MASKRT_SM75) MASKRT_DEFORM_SM90_TILES(MASKRT_SM90)};
#undef MASKRT_SM90
#undef MASKRT_SM75
#undef MASKRT_SM80_TF32
#undef MASKRT_SM80_F16

}  // namespace

std::span<const ConvKernel> deform_kernels() { return kKernels; }

}  // namespace maskrt::kernels
