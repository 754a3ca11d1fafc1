// Parameters and results of mask_words.cu and mask_runs.cu, and their inputs from the kernel that selects the
// instances.
// Read by host and device code.
#pragma once

#include <cstdint>

#include "kernels/cuda/map.h"

namespace maskrt::kernels::cuda {

/// One image's extents along one axis: map -> padded -> (crop) resized -> original. Steps are source positions a
/// destination position, as for bilinear_tap.
struct AxisGeometry {
  std::int32_t resized, original;
  float first_step, second_step;  ///< map / padded, resized / original
};

struct ImageGeometry {
  AxisGeometry x, y;
};

/// The settings of one call, in device memory, so that a recorded launch serves all calls; the ImageGeometry of each
/// image follows.
struct MaskCall {
  std::uint64_t* words;                       ///< output of mask bits, in device memory
  std::uint32_t* runs;                        ///< output of run lengths, in device memory; null: not requested
  std::uint64_t word_capacity, run_capacity;  ///< room in `words` and in `runs`
  float mask_threshold;
  float minimum_score;  ///< instances whose final score is below are dropped before their masks are made
  std::int32_t masks;   ///< 0: scores and classes only
  /// Where all logits that a bit blends are less than below_logit, the bit is 0; greater than above_logit: 1.
  float below_logit, above_logit;
  /// The same for probabilities: the threshold minus and plus the rounding error of blending.
  float below_probability, above_probability;
  std::int32_t reserved;
};

/// Head of the result block; the records follow it.
struct InstanceHeader {
  std::uint32_t instances;  ///< instances of the whole batch
  std::uint32_t tiles;      ///< work items of mask_words.cu
  std::uint64_t words;      ///< words that all masks need; if they exceed the capacity, none were written
  std::uint64_t runs;       ///< run lengths that all masks need; instances beyond the capacity were not written
  std::uint32_t masks;      ///< 1 where masks were requested
  std::uint32_t padding[9];
};

/// One instance, in the order of images, then queries. Its bits lie in a box of whole words that holds every set bit:
/// pixel (x, y) is bit y % 64 of words[first_word_of + (x - first_column) * words + y / 64 - first_word].
struct InstanceRecord {
  std::int32_t image, query, class_id;
  float score;
  std::int32_t first_column, columns, first_word, words;  ///< box of words; `words` are those of one column
  std::uint64_t first_word_of;                            ///< index of its first word in MaskCall::words
  std::uint64_t first_run;                                ///< index of its first run length in MaskCall::runs
  std::uint64_t area;
  std::uint32_t reserved, runs;
  std::int32_t left, top, right, bottom;  ///< inclusive bounding box of the set bits; right < left where there is none
};

/// The fields of an InstanceRecord that mask_words.cu and mask_runs.cu read: one sector.
struct alignas(32) MaskJob {
  std::uint64_t first_word_of;
  std::int32_t first_column, columns, first_word, words;
  std::uint32_t first_tile;  ///< its first work item of mask_words.cu
  std::int32_t plane;        ///< image * queries + query
};
static_assert(sizeof(MaskJob) == 32);
static_assert(sizeof(ImageGeometry) == 32 && sizeof(MaskCall) % 32 == 0, "whole sectors too");

/// The jobs of all instances in order, and an array of their first tiles for the search by tile.
struct MaskJobs {
  MaskJob* jobs;
  std::uint32_t* first_tiles;
};

/// Tile of a block of mask_words.cu: columns, and the most words of each. Most boxes have fewer words in a column, so
/// that a tile's words are contiguous.
constexpr int kMaskTileColumns = 16, kMaskTileWords = 24, kMaskThreads = 128;
/// Masks start at multiples of this many words: one sector.
constexpr int kMaskWordsPerSector = 4;
constexpr int kRunThreads = 256;

/// Logits [B, h, w, N] transposed to [B, N, h, pitch], in their own type.
struct PlanarLogits {
  void* data;
  std::int32_t height, width, pitch;
};

struct MaskWordsParams {
  const MaskCall* call;
  PlanarLogits planar;
  const InstanceHeader* header;
  MaskJobs jobs;
  InstanceRecord* records;
  std::uint64_t* inside;  ///< blended logits: of each job the sum of its mask's probabilities, in units of 2^-32
  std::int32_t queries, map_width, map_height;
};

struct MaskRunsParams {
  const MaskCall* call;
  InstanceHeader* header;
  const MaskJob* jobs;
  InstanceRecord* records;
  std::int32_t queries;
};

}  // namespace maskrt::kernels::cuda
