// The tiles of the convolution kernels: each figure once, read by device code, which makes a kernel of each line, and
// by the host, which plans and launches them. A tile is `rows` output pixels by `columns` output channels of the
// implicit GEMM; a step is what it takes of the depth (taps by input channels) at a time.
#pragma once

namespace maskrt::kernels {

/// conv_ffma.cu: a block of 128 threads for any type; shared memory is static.
struct FfmaTile {
  static constexpr int rows = 64, columns = 64, pieces = 4;  ///< a step is 4 pieces of 16 bytes
  static constexpr int rows_of_thread = 8, columns_of_thread = 4;
  static constexpr int threads = rows / rows_of_thread * (columns / columns_of_thread), stages = 3;
  static constexpr int resident = 4;  ///< blocks that registers allow on one multiprocessor
  static constexpr int step(int element_bytes) { return pieces * 16 / element_bytes; }
};

/// conv_mma_sm75.cu and conv_mma_sm80.cu: `stages` steps of both sides are in shared memory at a time.
struct MmaTile {
  int element_bytes;  ///< 2: fp16; 4: fp32 that the tensor cores take as tf32
  int rows, columns;
  int step;                     ///< elements of the depth
  int warp_rows, warp_columns;  ///< of the tile of one warp
  int stages;
  int resident;  ///< blocks that registers allow on one multiprocessor

  constexpr int pieces() const { return step * element_bytes / 16; }
  constexpr int threads() const { return rows / warp_rows * (columns / warp_columns) * 32; }
  constexpr int stage_bytes() const { return (rows + columns) * step * element_bytes; }
  constexpr int shared_bytes() const { return stages * stage_bytes(); }
};

/// conv_wgmma_sm90.cu, fp16: two warpgroups multiply, one thread of a third fills the stages. Each of the two computes
/// `blocks` x 64 channels by `group_pixels` pixels; they lie side by side in channels, or in pixels where they share
/// the channels.
struct WgmmaTile {
  static constexpr int consumers = 256, threads = 384, step = 64, row_bytes = step * 2;
  static constexpr int pair = 2;  ///< blocks of a cluster that take neighbouring pixels and share the copies of weights
  static constexpr int resident = 1;

  int blocks, group_pixels;
  bool shares_channels;
  int stages;

  constexpr int group_channels() const { return blocks * 64; }
  constexpr int rows() const { return shares_channels ? 2 * group_pixels : group_pixels; }
  constexpr int columns() const { return shares_channels ? group_channels() : 2 * group_channels(); }
  constexpr int stage_bytes() const { return (rows() + columns()) * row_bytes; }
  /// Words of a staged pixel: 4 banks longer than the channels, so that the four pixels and eight channels that a
  /// warp's store meets are in different banks.
  constexpr int staged_line() const { return group_channels() + 4; }
  /// Eight pixels of a warpgroup's sums, in words.
  constexpr int staged() const { return 8 * staged_line(); }
  constexpr int staging_at() const { return stages * stage_bytes(); }
  /// For each of two warpgroups two times eight pixels: while one is stored the next is staged.
  constexpr int barriers_at() const { return staging_at() + 2 * 2 * staged() * 4; }
  /// A full and an empty barrier a stage, and a word for the block that adds the splits up.
  constexpr int shared_bytes() const { return barriers_at() + stages * 16 + 16; }
};

}  // namespace maskrt::kernels

// Each list calls TILE(entry, figures...) for every kernel of a file, with the figures in the order of the struct
// above; an MmaTile's without its element_bytes. The order is that of conv_kernels(). Each tile is there on purpose.

// entry, rows, columns, step, warp rows, warp columns, stages, resident
#define MASKRT_CONV_SM80_F16_TILES(TILE)                                                             \
  TILE(conv_sm80_128x256x32, 128, 256, 32, 64, 64, 4, 1) /* least traffic a product: large layers */ \
  TILE(conv_sm80_128x128x32, 128, 128, 32, 64, 64, 4, 2)                                             \
  TILE(conv_sm80_256x64x32, 256, 64, 32, 64, 64, 3, 2) /* 64 channels: res2 */                       \
  TILE(conv_sm80_128x64x64, 128, 64, 64, 64, 32, 3, 2)                                               \
  TILE(conv_sm80_64x128x64, 64, 128, 64, 32, 64, 3, 2)                                               \
  TILE(conv_sm80_64x64x64, 64, 64, 64, 32, 32, 4, 3)   /* few pixels: res5 */                        \
  TILE(conv_sm80_128x32x64, 128, 32, 64, 32, 32, 3, 3) /* merged groups, narrow heads */
#define MASKRT_CONV_SM80_TF32_TILES(TILE)                     \
  TILE(conv_sm80_tf32_128x128x16, 128, 128, 16, 64, 64, 4, 2) \
  TILE(conv_sm80_tf32_64x64x32, 64, 64, 32, 32, 32, 4, 3)
#define MASKRT_CONV_SM75_TILES(TILE)                     \
  TILE(conv_sm75_128x128x32, 128, 128, 32, 32, 64, 2, 1) \
  TILE(conv_sm75_128x64x32, 128, 64, 32, 64, 32, 2, 2)   \
  TILE(conv_sm75_64x64x32, 64, 64, 32, 32, 32, 2, 3)

// entry (pixels x channels), blocks, pixels of a warpgroup, whether channels are shared, stages
#define MASKRT_CONV_SM90_TILES(TILE)                                                             \
  TILE(conv_sm90_128x256, 2, 128, false, 4)                                                      \
  TILE(conv_sm90_136x256, 2, 136, false, 4) /* 8640 pixels by 512 channels in one wave of 132 */ \
  TILE(conv_sm90_96x256, 2, 96, false, 4)                                                        \
  TILE(conv_sm90_72x256, 2, 72, false, 5) /* 8640 pixels by 256 channels in one wave */          \
  TILE(conv_sm90_128x128, 1, 128, false, 6)                                                      \
  TILE(conv_sm90_72x128, 1, 72, false, 8) /* 2160 pixels */                                      \
  TILE(conv_sm90_256x64, 1, 128, true, 5) /* 64 channels */                                      \
  TILE(conv_sm90_272x64, 1, 136, true, 5) /* 34560 pixels (res2) in one wave of 132 */           \
  TILE(conv_sm90_272x128, 2, 136, true, 4)
