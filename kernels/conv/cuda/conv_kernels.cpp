#include "conv_kernels.h"

namespace maskrt::kernels {
namespace {

/// A kernel of conv_mma_sm80.cu or conv_mma_sm75.cu with `stages` pipeline stages in shared memory.
constexpr ConvKernel mma(KernelPath path, const char* name, int rows, int columns, int step, int warp_rows,
                         int warp_columns, int stages, int resident) {
  const bool dynamic = path == KernelPath::sm80;
  return {.name = {dynamic ? "conv/conv_mma_sm80" : "conv/conv_mma_sm75", name},
          .type = DataType::f16,
          .oldest = path,
          .newest = dynamic ? KernelPath::sm90a : KernelPath::sm75,
          .tensor_cores = true,
          .tf32 = false,
          .rows = rows,
          .columns = columns,
          .step = step,
          .warp_rows = warp_rows,
          .warp_columns = warp_columns,
          .threads = rows / warp_rows * (columns / warp_columns) * 32,
          .shared_bytes = dynamic ? static_cast<std::uint32_t>((rows + columns) * step * 2 * stages) : 0,
          .resident = resident};
}
/// A kernel of conv_mma_sm80.cu that multiplies f32 in tf32.
constexpr ConvKernel tf32(const char* name, int rows, int columns, int step, int warp_rows, int warp_columns,
                          int stages, int resident) {
  ConvKernel kernel = mma(KernelPath::sm80, name, rows, columns, 2 * step, warp_rows, warp_columns, stages, resident);
  kernel.type = DataType::f32;
  kernel.tf32 = true;
  kernel.step = step;
  return kernel;
}
constexpr auto sm80 = KernelPath::sm80, sm75 = KernelPath::sm75;

/// A kernel of conv_wgmma_sm90.cu: two consumer warpgroups with `blocks` x 64 channels by `pixels` pixels each,
/// neighbours in pixels where they share channels, else in channels.
constexpr ConvKernel sm90(const char* name, int blocks, int pixels, bool shares_channels, int stages) {
  const int rows = shares_channels ? 2 * pixels : pixels, columns = shares_channels ? 64 * blocks : 128 * blocks;
  const int staging = 2 * 2 * 8 * (64 * blocks + 4) * 4, barriers = stages * 16 + 16;
  return {.name = {"conv/conv_wgmma_sm90", name},
          .type = DataType::f16,
          .oldest = KernelPath::sm90a,
          .newest = KernelPath::sm90a,
          .tensor_cores = true,
          .tf32 = false,
          .rows = rows,
          .columns = columns,
          .step = 64,
          .warp_rows = pixels,
          .warp_columns = 64,
          .threads = 384,
          .shared_bytes = static_cast<std::uint32_t>((rows + columns) * 128 * stages + staging + barriers),
          .resident = 1};
}

/// A kernel of conv_ffma.cu; its shared memory is static.
constexpr ConvKernel ffma(const char* name, DataType type, int step) {
  return {.name = {"conv/conv_ffma", name},
          .type = type,
          .oldest = KernelPath::sm75,
          .newest = KernelPath::sm90a,
          .tensor_cores = false,
          .tf32 = false,
          .rows = 64,
          .columns = 64,
          .step = step,
          .warp_rows = 16,
          .warp_columns = 64,
          .threads = 128,
          .shared_bytes = 0,
          .resident = 4};
}

constexpr ConvKernel kernels[] = {
    ffma("conv_ffma_f32", DataType::f32, 16),
    ffma("conv_ffma_f16", DataType::f16, 32),
    mma(sm80, "conv_sm80_128x256x32", 128, 256, 32, 64, 64, 4, 1),
    mma(sm80, "conv_sm80_128x128x32", 128, 128, 32, 64, 64, 4, 2),
    mma(sm80, "conv_sm80_256x64x32", 256, 64, 32, 64, 64, 3, 2),
    mma(sm80, "conv_sm80_128x64x64", 128, 64, 64, 64, 32, 3, 2),
    mma(sm80, "conv_sm80_64x128x64", 64, 128, 64, 32, 64, 3, 2),
    mma(sm80, "conv_sm80_64x64x64", 64, 64, 64, 32, 32, 4, 3),
    mma(sm80, "conv_sm80_128x32x64", 128, 32, 64, 32, 32, 3, 3),
    tf32("conv_sm80_tf32_128x128x16", 128, 128, 16, 64, 64, 4, 2),
    tf32("conv_sm80_tf32_64x64x32", 64, 64, 32, 32, 32, 4, 3),
    mma(sm75, "conv_sm75_128x128x32", 128, 128, 32, 32, 64, 2, 1),
    mma(sm75, "conv_sm75_128x64x32", 128, 64, 32, 64, 32, 2, 2),
    mma(sm75, "conv_sm75_64x64x32", 64, 64, 32, 32, 32, 2, 3),
    sm90("conv_sm90_128x256", 2, 128, false, 4),
    sm90("conv_sm90_136x256", 2, 136, false, 4),
    sm90("conv_sm90_96x256", 2, 96, false, 4),
    sm90("conv_sm90_72x256", 2, 72, false, 5),
    sm90("conv_sm90_128x128", 1, 128, false, 6),
    sm90("conv_sm90_72x128", 1, 72, false, 8),
    sm90("conv_sm90_256x64", 1, 128, true, 5),
    sm90("conv_sm90_272x64", 1, 136, true, 5),
    sm90("conv_sm90_272x128", 2, 136, true, 4),
};

}  // namespace

std::span<const ConvKernel> conv_kernels() { return kernels; }

}  // namespace maskrt::kernels
