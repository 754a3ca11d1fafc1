// The tiles of the convolution kernels: each figure once, read by device code, which instantiates a kernel for each
// line, and by the host, which plans and launches them. A tile is `rows` output pixels by `columns` output channels of
// the implicit GEMM; a step is the slice of the depth (taps by input channels) that one iteration of the main loop
// multiplies.
#pragma once

namespace maskrt::kernels {

/// conv_ffma.cu: a block of 128 threads for any type; shared memory is static.
struct FfmaTile {
  static constexpr int kRows = 64, kColumns = 64, kChunks = 4;  ///< a step is 4 chunks of 16 bytes
  static constexpr int kRowsOfThread = 8, kColumnsOfThread = 4;
  static constexpr int kThreads = kRows / kRowsOfThread * (kColumns / kColumnsOfThread), kStages = 3;
  static constexpr int kResident = 4;  ///< blocks on one multiprocessor, as far as registers allow
  static constexpr int step(int element_bytes) { return kChunks * 16 / element_bytes; }
};

/// conv_mma_sm75.cu and conv_mma_sm80.cu, with `stages` pipeline stages in shared memory.
struct MmaTile {
  int element_bytes;  ///< 2: fp16; 4: fp32, multiplied in tf32
  int rows, columns;
  int step;                     ///< elements of depth
  int warp_rows, warp_columns;  ///< tile of one warp
  int stages;
  int resident;  ///< blocks on one multiprocessor, as far as registers allow

  constexpr int chunks() const { return step * element_bytes / 16; }
  constexpr int threads() const { return rows / warp_rows * (columns / warp_columns) * 32; }
  constexpr int stage_bytes() const { return (rows + columns) * step * element_bytes; }
  constexpr int shared_bytes() const { return stages * stage_bytes(); }
  /// Words of a row in the epilogue's staging buffer: padded by 8 against bank conflicts of the 8-byte stores.
  constexpr int staged_line() const { return columns + 8; }
  /// Whether `bytes` of shared memory hold all rows of the staging buffer: what split-K within a cluster needs.
  constexpr bool stages_whole_tile(int bytes) const { return rows * staged_line() * 4 <= bytes; }
};

/// conv_patch_sm80.cu, fp16: kernels of at most 3 x 3 taps with stride 1, whose input is a patch of the map in shared
/// memory. A tile is `height` x 16 output pixels by `columns` channels; a step is 32 input channels of all taps.
struct PatchTile {
  static constexpr int kWidth = 16, kMostTaps = 3, kStep = 32, kChunks = kStep * 2 / 16, kThreads = 128;
  static constexpr int kPatchWidth = kWidth + kMostTaps - 1;
  /// Pixels of a line of the patch in shared memory: a multiple of 8, so that lines have the same swizzle.
  static constexpr int kPatchLine = 24;

  int height, columns;
  int warp_rows, warp_columns;  ///< tile of one warp
  int stages;                   ///< steps in shared memory; 1: what loads while a step is multiplied are other blocks
  int resident;                 ///< blocks on one multiprocessor, as far as registers allow

  constexpr int patch_height() const { return height + kMostTaps - 1; }
  constexpr int patch_bytes() const { return patch_height() * kPatchLine * kStep * 2; }
  constexpr int tap_bytes() const { return columns * kStep * 2; }
  constexpr int stage_bytes() const { return patch_bytes() + kMostTaps * kMostTaps * tap_bytes(); }
  constexpr int shared_bytes() const { return stages * stage_bytes(); }
  /// The same tile as that of an implicit GEMM.
  constexpr MmaTile product() const {
    return {2, height * kWidth, columns, kStep, warp_rows, warp_columns, stages, resident};
  }
};

/// conv_pairs_sm80.cu, fp16: kernels of at most 3 x 3 taps with stride 2 on an image in pairs of pixels, whose input is
/// a patch of the image in shared memory. A tile is `height` x 16 output pixels by `columns` channels, in one step.
struct PairTile {
  static constexpr int kWidth = 16, kMostLines = 3, kStride = 2, kThreads = 128;
  /// Two pairs for the last pixel of a line, and one more in front of the first, so that a sector begins with them.
  static constexpr int kLinePairs = kWidth + 2;

  int height, columns;
  int warp_rows, warp_columns;  ///< tile of one warp
  int resident;                 ///< blocks on one multiprocessor, as far as registers allow

  constexpr int lines() const { return (height - 1) * kStride + kMostLines; }
  constexpr int patch_bytes() const { return (lines() * kLinePairs * 16 + 127) / 128 * 128; }
  constexpr int weight_bytes() const { return columns * 128; }
  /// The whole tile is staged, over the operands.
  constexpr int shared_bytes() const {
    const int operands = patch_bytes() + weight_bytes(), staging = height * kWidth * product().staged_line() * 4;
    return operands > staging ? operands : staging;
  }
  /// The same tile as that of an implicit GEMM, a step of which is a line of the kernel.
  constexpr MmaTile product() const { return {2, height * kWidth, columns, 32, warp_rows, warp_columns, 1, resident}; }
};

/// conv_wgmma_sm90.cu, fp16: two consumer warpgroups, and a producer thread in a third. Each consumer computes `blocks`
/// x 64 channels by `group_pixels` pixels; the two are neighbours in channels, or in pixels where they share channels.
struct WgmmaTile {
  static constexpr int kConsumers = 256, kThreads = 384, kStep = 64, kRowBytes = kStep * 2;
  /// The epilogue's ring of a warpgroup: slots of results and residuals on their way from or to global memory.
  static constexpr int kRing = 4, kSlotBytes = 2048;
  static constexpr int kPair = 2;  ///< blocks of a cluster with neighbouring pixels and multicast loads of weights
  static constexpr int kResident = 1;

  int blocks, group_pixels;
  bool shares_channels;
  int stages;
  bool norms = false;  ///< layer norm of whole pixels in the epilogue: a pixel's channels are those of one tile

  constexpr int group_channels() const { return blocks * 64; }
  constexpr int rows() const { return shares_channels ? 2 * group_pixels : group_pixels; }
  constexpr int columns() const { return shares_channels ? group_channels() : 2 * group_channels(); }
  constexpr int stage_bytes() const { return (rows() + columns()) * kRowBytes; }
  /// Words of a pixel in the epilogue's staging buffer: padded by 4, so that the 4 pixels x 8 channels of a warp's
  /// store hit 32 different banks.
  constexpr int staged_line() const { return group_channels() + 4; }
  /// Words of eight pixels of a warpgroup's accumulators.
  constexpr int staged() const { return 8 * staged_line(); }
  constexpr int staging_at() const { return stages * stage_bytes(); }
  /// The staging buffers of two warpgroups are double-buffered: 8 pixels are stored while the next 8 are staged. Rings
  /// are used in their place.
  constexpr int barriers_at() const {
    const int staging = 2 * 2 * staged() * 4, rings = 2 * kRing * kSlotBytes;
    return staging_at() + (staging > rings || norms ? staging : rings);
  }
  /// A full and an empty mbarrier for each stage, and a word for the split-K reduction.
  constexpr int statistics_at() const { return barriers_at() + stages * 16 + 16; }
  /// Two floats of 8 pixels from each warpgroup, double-buffered.
  constexpr int shared_bytes() const { return statistics_at() + (norms ? 2 * 2 * 8 * 8 : 0); }
};

}  // namespace maskrt::kernels

// Each list calls TILE(entry, figures...) for every kernel of a file, with the figures in the order of the struct
// above; an MmaTile's without its element_bytes. The order is that of conv_kernels().

// entry, rows, columns, step, warp rows, warp columns, stages, resident
#define MASKRT_CONV_SM80_F16_TILES(TILE)                                                             \
  TILE(conv_sm80_128x256x32, 128, 256, 32, 64, 64, 4, 1) /* least traffic a product: large layers */ \
  TILE(conv_sm80_128x128x32, 128, 128, 32, 64, 64, 4, 2)                                             \
  TILE(conv_sm80_256x64x32, 256, 64, 32, 64, 64, 3, 2) /* 64 channels: res2 */                       \
  TILE(conv_sm80_128x64x64, 128, 64, 64, 64, 32, 3, 2)                                               \
  TILE(conv_sm80_64x128x64, 64, 128, 64, 32, 64, 3, 2)                                               \
  TILE(conv_sm80_64x64x64, 64, 64, 64, 32, 32, 4, 3)   /* few pixels: res5 */                        \
  TILE(conv_sm80_128x32x64, 128, 32, 64, 32, 32, 3, 3) /* merged groups, narrow heads */
// entry (height x width x channels), height, channels, warp rows, warp columns, stages, resident
#define MASKRT_CONV_PATCH_TILES(TILE)                                            \
  TILE(conv_patch_16x16x32, 16, 32, 64, 32, 1, 3) /* 32 channels to 32: stems */ \
  TILE(conv_patch_16x16x64, 16, 64, 64, 64, 1, 2) /* 32 channels to 64 */        \
  TILE(conv_patch_8x16x32, 8, 32, 64, 16, 2, 3)   /* many to few: offsets, narrow heads */
// entry (height x width x channels), height, channels, warp rows, warp columns, resident
#define MASKRT_CONV_PAIRS_TILES(TILE) TILE(conv_pairs_16x16x32, 16, 32, 64, 32, 5)
#define MASKRT_CONV_SM80_TF32_TILES(TILE)                     \
  TILE(conv_sm80_tf32_128x128x16, 128, 128, 16, 64, 64, 4, 2) \
  TILE(conv_sm80_tf32_64x64x32, 64, 64, 32, 32, 32, 4, 3)
#define MASKRT_CONV_SM75_TILES(TILE)                     \
  TILE(conv_sm75_128x128x32, 128, 128, 32, 32, 64, 2, 1) \
  TILE(conv_sm75_128x64x32, 128, 64, 32, 64, 32, 2, 2)   \
  TILE(conv_sm75_64x64x32, 64, 64, 32, 32, 32, 2, 3)

// entry (pixels x channels), blocks, pixels of a warpgroup, whether channels are shared, stages, whether it norms
#define MASKRT_CONV_SM90_TILES(TILE)                                                             \
  TILE(conv_sm90_128x256, 2, 128, false, 4)                                                      \
  TILE(conv_sm90_136x256, 2, 136, false, 4) /* 8640 pixels by 512 channels in one wave of 132 */ \
  TILE(conv_sm90_96x256, 2, 96, false, 4)                                                        \
  TILE(conv_sm90_72x256, 2, 72, false, 5) /* 8640 pixels by 256 channels in one wave */          \
  TILE(conv_sm90_128x128, 1, 128, false, 6)                                                      \
  TILE(conv_sm90_72x128, 1, 72, false, 8) /* 2160 pixels */                                      \
  TILE(conv_sm90_256x64, 1, 128, true, 5) /* 64 channels */                                      \
  TILE(conv_sm90_272x64, 1, 136, true, 5) /* 34560 pixels (res2) in one wave of 132 */           \
  TILE(conv_sm90_272x128, 2, 136, true, 4)                                                       \
  TILE(conv_norm_sm90_72x256, 2, 72, false, 5, true) /* 8640 pixels */                           \
  TILE(conv_norm_sm90_136x256, 2, 136, false, 4, true)
