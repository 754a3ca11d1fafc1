// What mask_words.cu and mask_runs.cu read and write, and what the kernel that chooses the instances leaves for them.
// Plain C++ for both compilers.
#pragma once

#include <cstdint>

#include "../cuda/map.h"

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
struct MaskCall {
  std::uint64_t* words;  ///< device memory for the masks' bits
  std::uint32_t* runs;   ///< device memory for run lengths; null: none are wanted
  std::uint64_t word_capacity, run_capacity;  ///< room in `words` and in `runs`
  float mask_threshold;
  float minimum_score;             ///< instances whose final score is below are dropped before their masks are made
  std::int32_t masks;              ///< 0: scores and classes alone
  float below_logit, above_logit;  ///< a patch of logits that lie all beyond one of these needs no blending
  float below_probability, above_probability;  ///< the same for probabilities, with a margin for blending's rounding
  std::int32_t reserved;
};

/// Head of the result block; the records follow it.
struct InstanceHeader {
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
static_assert(sizeof(ImageGeometry) == 32 && sizeof(MaskCall) % 32 == 0, "whole sectors too");

/// The jobs of all instances in their order, and for the search by tile their first tiles alone.
struct MaskJobs {
  MaskJob* jobs;
  std::uint32_t* first_tiles;
};

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

struct MaskWordsParams {
  const MaskCall* call;
  PlanarLogits planar;
  const InstanceHeader* header;
  MaskJobs jobs;
  InstanceRecord* records;
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
