// What the kernels of score_queries.cu, mask_words.cu and mask_runs.cu read and write. Plain C++ for both compilers.
#pragma once

#include <cstdint>

#include "kernels/cuda/map.h"

namespace maskrt::kernels::cuda {

/// One image's sizes along one axis: map -> padded -> (crop) resized -> original. Steps are source positions for each
/// destination position, as bilinear_tap takes them.
struct AxisGeometry {
  std::int32_t resized, original;
  float first_step, second_step;  ///< map / padded, resized / original
};

struct ImageGeometry {
  AxisGeometry x, y;
};

/// What changes from call to call, in device memory; the ImageGeometry of each image follows it.
struct PostprocessCall {
  std::uint64_t* words;  ///< device memory for the masks' bits
  std::uint32_t* runs;   ///< device memory for run lengths; null: none are wanted
  std::uint64_t word_capacity, run_capacity;
  float score_threshold, mask_threshold, minimum_score;
  std::int32_t masks;              ///< 0: scores and classes alone
  float below_logit, above_logit;  ///< farther out than these, logits decide the bit whatever is blended with what
  float below_probability, above_probability;  ///< likewise, less and plus what blending can round
};

/// What blocks add up for the queries of all images, an array for each number, so that neighbouring queries share
/// sectors: query q of image b is number b * stride + q. All zero between calls.
struct QueryTallies {
  std::uint64_t* sum;    ///< of the probabilities above the threshold, in units of 2^-32
  std::uint32_t* count;  ///< of these
  /// Where these are: largest of width - x, x + 1, height - y, y + 1. 0: none.
  std::uint32_t *from_right, *right, *from_bottom, *bottom;
  float* score;  ///< before rescoring
  std::int32_t* class_id;
  std::int32_t stride;  ///< a multiple of kQueriesPerSector

  static constexpr int bytes_of_one = 8 + 5 * 4 + 4 + 4;
};
constexpr int kQueriesPerSector = 8;

/// Head of the result block; the records follow it.
struct PostprocessHeader {
  std::uint32_t instances;  ///< of the whole batch
  std::uint32_t tiles;      ///< of work for mask_words.cu
  std::uint64_t words;      ///< that the masks need; where this exceeds the capacity none were written
  std::uint64_t runs;       ///< that run lengths need; instances beyond the capacity were not written
  std::uint32_t masks;      ///< whether masks were asked for
  std::uint32_t padding[9];
};

/// One instance, in the order of images, then queries. Its bits lie in a box of whole words that holds every set bit:
/// pixel (x, y) is bit y % 64 of words[first_word_of + (x - first_column) * words + y / 64 - first_word].
struct InstanceRecord {
  std::int32_t image, query, class_id;
  float score;
  std::int32_t first_column, columns, first_word, words;  ///< the box; words are those of one column
  std::uint64_t first_word_of;                            ///< where its words begin
  std::uint64_t first_run;                                ///< where its run lengths begin
  std::uint64_t area;
  std::uint32_t reserved, runs;
  std::int32_t left, top, right, bottom;  ///< of the set bits, inclusive; right < left where there is none
};

/// What the kernels behind the selection look up of an instance, as the record has it: a sector.
struct alignas(32) MaskJob {
  std::uint64_t first_word_of;
  std::int32_t first_column, columns, first_word, words;
  std::uint32_t first_tile;  ///< of work for mask_words.cu
  std::int32_t plane;        ///< image * queries + query
};
static_assert(sizeof(MaskJob) == 32);
static_assert(sizeof(ImageGeometry) == 32 && sizeof(PostprocessCall) % 32 == 0, "whole sectors too");

/// The jobs of all instances in their order, and for the search by tile their first tiles alone.
struct MaskJobs {
  MaskJob* jobs;
  std::uint32_t* first_tiles;
};

/// Positions of the upsampled map and queries, at most, that one block of score_queries.cu takes, and its threads.
constexpr int kScoreTileWidth = 32, kScoreTileHeight = 8, kScoreQueries = 64, kScoreThreads = 512;
/// Logits that such a tile is made of, those that it shares with its neighbours included.
constexpr int score_patch_pixels(int factor) {
  const int halo = 2 * (factor - 1);
  return (kScoreTileWidth / factor + halo) * (kScoreTileHeight / factor + halo);
}
/// Columns, and at most how many words of each, that one block of mask_words.cu makes at a time: mostly all, so that
/// they lie side by side.
constexpr int kMaskTileColumns = 16, kMaskTileWords = 24, kMaskThreads = 128;
/// The words of a mask begin at a multiple of these: a sector.
constexpr int kMaskWordsPerSector = 4;
constexpr int kRunThreads = 256;

/// Logits [B, h, w, N] transposed to [B, N, h, pitch], in their own type.
struct PlanarLogits {
  void* data;
  std::int32_t height, width, pitch;
};

struct ScoreParams {
  Map class_logits, objectness, mask_logits;
  const PostprocessCall* call;
  PlanarLogits planar;
  QueryTallies tallies;
  MaskJobs jobs;
  std::uint32_t* blocks_done;
  PostprocessHeader* header;
  InstanceRecord* records;
  std::uint32_t* first_of_image;              ///< [B + 1]: of the records; behind the last image, how many there are
  std::int32_t batch, map_width, map_height;  ///< of the upsampled map
  std::int32_t tiles_across, tiles;           ///< of one map
  std::int32_t chunk;                         ///< queries of one block
  std::int32_t patch_words;                   ///< 32-bit words between two pixels of the patch in shared memory
};

struct MaskWordsParams {
  const PostprocessCall* call;
  PlanarLogits planar;
  const PostprocessHeader* header;
  MaskJobs jobs;
  InstanceRecord* records;
  std::int32_t queries, map_width, map_height;
};

struct MaskRunsParams {
  const PostprocessCall* call;
  PostprocessHeader* header;
  const MaskJob* jobs;
  InstanceRecord* records;
  std::int32_t queries;
};

}  // namespace maskrt::kernels::cuda
