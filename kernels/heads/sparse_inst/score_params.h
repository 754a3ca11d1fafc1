// Parameters of score_queries.cu. Read by host and device code.
#pragma once

#include "kernels/masks/mask_params.h"

namespace maskrt::kernels::cuda {

/// Sums over blocks for the queries of all images, as a structure of arrays, so that neighbouring queries share
/// sectors: query q of image b has index b * stride + q. All zero between calls.
struct QueryTallies {
  std::uint64_t* sum;    ///< sum of the probabilities above the mask threshold, in units of 2^-32
  std::uint32_t* count;  ///< number of those probabilities
  /// Bounding box of their positions, each side kept as a maximum (width - x, x + 1, height - y, y + 1), so that zero
  /// means that there are none and atomicMax suffices.
  std::uint32_t *from_right, *right, *from_bottom, *bottom;
  float* score;  ///< score before rescoring
  std::int32_t* class_id;
  std::int32_t stride;  ///< a multiple of kQueriesPerSector

  static constexpr int kBytesOfOne = 8 + 5 * 4 + 4 + 4;
};
constexpr int kQueriesPerSector = 8;

/// Tile of a block of score_queries.cu: positions of the upsampled map, the most queries, and threads.
constexpr int kScoreTileWidth = 32, kScoreTileHeight = 8, kScoreQueries = 64, kScoreThreads = 512;
/// Logits of such a tile, halo included.
constexpr int score_patch_pixels(int factor) {
  const int halo = 2 * (factor - 1);
  return (kScoreTileWidth / factor + halo) * (kScoreTileHeight / factor + halo);
}

struct ScoreParams {
  Map class_logits, objectness, mask_logits;
  const MaskCall* call;
  PlanarLogits planar;
  QueryTallies tallies;
  MaskJobs jobs;
  std::uint32_t* blocks_done;
  InstanceHeader* header;
  InstanceRecord* records;
  std::uint32_t* first_of_image;              ///< [B + 1]: index of each image's first record; last: number of records
  std::int32_t batch, map_width, map_height;  ///< extents of the upsampled map
  std::int32_t tiles_across, tiles;           ///< tiles in a row and in the whole of one map
  std::int32_t chunk;                         ///< queries of a block
  std::int32_t patch_words;                   ///< pixel stride of the patch in shared memory, in 32-bit words
  float score_threshold;                      ///< instances have sqrt(class * objectness) greater than this
};

}  // namespace maskrt::kernels::cuda
