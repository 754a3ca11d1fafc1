// The tiles of the deformable convolutions' kernels: each figure once, read by device code, which instantiates a kernel
// for each line, and by the host, which plans and launches them.
#pragma once

#include "kernels/conv/cuda/conv_tiles.h"

namespace maskrt::kernels {

/// The taps of a run, whose corners are in shared memory at a time (deform_params.h): those of a 3 x 3 kernel.
inline constexpr int kDeformRunTaps = 9;
/// Bytes that the corners of one tap of one pixel take: four offsets and four weights.
inline constexpr int kDeformCornerBytes = 32;
/// The depth of a run is padded to a multiple of so many bytes, a step of the widest kernels.
inline constexpr int kDeformRunBytes = 128;

/// Bytes of the table of corners of `rows` pixels.
constexpr int deform_table_bytes(int rows) { return rows * kDeformRunTaps * kDeformCornerBytes; }

/// Shared memory of a kernel of deform_mma_sm80.cu or deform_mma_sm75.cu: two stages of samples, as many stages of
/// weights as the tile says, the table.
constexpr int deform_samples_bytes(const MmaTile& tile) { return tile.rows * tile.chunks() * 16; }
constexpr int deform_weights_bytes(const MmaTile& tile) { return tile.columns * tile.chunks() * 16; }
constexpr int deform_shared_bytes(const MmaTile& tile) {
  return 2 * deform_samples_bytes(tile) + tile.stages * deform_weights_bytes(tile) + deform_table_bytes(tile.rows);
}

/// deform_ffma.cu, whose tile is FfmaTile's with two stages of both operands.
constexpr int kDeformFfmaTableAt = 2 * (FfmaTile::kRows + FfmaTile::kColumns) * FfmaTile::kChunks * 16;
constexpr int kDeformFfmaSharedBytes = kDeformFfmaTableAt + deform_table_bytes(FfmaTile::kRows);
constexpr int kDeformFfmaResident = 3;

/// deform_wgmma_sm90.cu, fp16: two consumer warpgroups, each with 128 of a tile's 256 channels, and `producers` threads
/// that sample.
struct DeformWgmmaTile {
  static constexpr int kConsumers = 256, kStep = 64, kRowBytes = kStep * 2, kColumns = 256, kResident = 1;

  int pixels;  ///< a multiple of 8
  int producers;
  int stages;
  int consumer_registers,
      producer_registers;  ///< of a thread in the main loop: multiples of 8, in all those of a launch

  constexpr int threads() const { return kConsumers + producers; }
  /// Registers of a thread that the block is launched with.
  constexpr int registers() const { return 65536 / threads() / 8 * 8; }
  constexpr int weights_bytes() const { return kColumns * kRowBytes; }
  constexpr int stage_bytes() const { return weights_bytes() + pixels * kRowBytes; }
  constexpr int table_at() const { return stages * stage_bytes(); }
  constexpr int barriers_at() const { return table_at() + deform_table_bytes(pixels); }
  /// A full and an empty mbarrier for each stage, and a word for the split-K reduction.
  constexpr int shared_bytes() const { return barriers_at() + stages * 16 + 16; }
  /// Words of a pixel in the epilogue's staging buffer: padded by 4, so that the 4 pixels x 8 channels of a warp's
  /// store hit 32 different banks.
  constexpr int staged_line() const { return kColumns + 4; }
};

}  // namespace maskrt::kernels

// Each list calls TILE(entry, figures...) with the figures of an MmaTile without its element_bytes. A step of 128 bytes
// is a line of the L1 cache of each corner. The order is that of deform_kernels().

// entry, rows, columns, step, warp rows, warp columns, stages of weights, resident
#define MASKRT_DEFORM_SM80_F16_TILES(TILE)                                                                    \
  TILE(deform_sm80_96x256x64, 96, 256, 64, 48, 64, 2, 1) /* least traffic a product; all of 256 channels */   \
  TILE(deform_sm80_64x256x64, 64, 256, 64, 32, 64, 2, 1) /* the same in the 99 KiB of shared memory of 8.6 */ \
  TILE(deform_sm80_64x128x64, 64, 128, 64, 32, 32, 2, 2)                                                      \
  TILE(deform_sm80_64x64x64, 64, 64, 64, 32, 32, 2, 2)
#define MASKRT_DEFORM_SM80_TF32_TILES(TILE)                   \
  TILE(deform_sm80_tf32_64x128x32, 64, 128, 32, 32, 64, 2, 2) \
  TILE(deform_sm80_tf32_64x64x32, 64, 64, 32, 32, 32, 2, 2)
// entry (pixels x channels), pixels, producers, stages, registers of consumers and producers
#define MASKRT_DEFORM_SM90_TILES(TILE)                                                     \
  TILE(deform_sm90_72x256, 72, 256, 3, 144, 112) /* 2052 pixels in 4 splits: 116 blocks */ \
  TILE(deform_sm90_96x256, 96, 256, 3, 144, 112)                                           \
  TILE(deform_sm90_128x256, 128, 128, 3, 200, 104) /* batches */
#define MASKRT_DEFORM_SM75_TILES(TILE)                   \
  TILE(deform_sm75_64x256x32, 64, 256, 32, 32, 64, 2, 1) \
  TILE(deform_sm75_64x128x32, 64, 128, 32, 32, 32, 2, 1) \
  TILE(deform_sm75_64x64x32, 64, 64, 32, 32, 32, 2, 2)
