// Tiling of the work on masks, and loads of an instance's parameters into shared memory, in whole sectors.
#pragma once

#include "mask_params.h"

namespace maskrt::kernels::cuda {

/// Tiles of mask_words.cu in a box of `columns` columns by `words` words each.
__device__ inline int tiles_across(int columns) { return (columns + kMaskTileColumns - 1) / kMaskTileColumns; }
__device__ inline int tiles_down(int words) { return (words + kMaskTileWords - 1) / kMaskTileWords; }
__device__ inline unsigned tiles_of(int columns, int words) {
  return static_cast<unsigned>(tiles_across(columns) * tiles_down(words));
}

/// The number of words rounded up to whole sectors.
template <typename Count>
__device__ Count whole_sectors(Count words) {
  return (words + kMaskWordsPerSector - 1) / kMaskWordsPerSector * kMaskWordsPerSector;
}

/// Loads the first `words` 32-bit words of `from` into shared memory, with the first threads of a block.
template <typename T>
__device__ void look_up(const T* from, T& shared, int words = sizeof(T) / 4) {
  const int i = static_cast<int>(threadIdx.x);
  if (i < words) reinterpret_cast<std::uint32_t*>(&shared)[i] = reinterpret_cast<const std::uint32_t*>(from)[i];
}

/// Loads a job and the geometry of its image, which follows `call` in memory, with the first warp of a block.
__device__ inline void look_up_job(const MaskJob* from, const MaskCall* call, int queries, MaskJob& job,
                                   ImageGeometry& image) {
  if (threadIdx.x >= 32) return;
  look_up(from, job);
  __syncwarp();
  look_up(reinterpret_cast<const ImageGeometry*>(call + 1) + job.plane / queries, image);
}

/// Words of InstanceHeader that do not change while masks are made: instances, tiles, words.
constexpr int kSelectionWords = 4;

}  // namespace maskrt::kernels::cuda
