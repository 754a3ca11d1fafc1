// Parameters of the kernels of FastInst's post-processing. Read by host and device code.
#pragma once

#include "kernels/masks/mask_params.h"

namespace maskrt::kernels::cuda {

/// A query's most probable class; that of none is the number of classes.
struct BestShare {
  float probability;
  std::int32_t class_id;
};

struct ClassSharesParams {
  Map class_logits;  ///< list [B, Q, 1, K + 1]
  /// [B, Q, stride]: probabilities of the K classes; behind them -1, which comes after any probability.
  float* shares;
  BestShare* best;  ///< [B, Q]
  std::int32_t stride;
};

/// The most probable pairs of a query and a class, best first: [B, count].
struct QueryClassPairs {
  const std::int32_t* positions;  ///< query * stride + class
  const float* probabilities;
  const std::uint8_t* things;  ///< [K]: pairs of classes with 0 are left out; null: none is
  std::int32_t count, stride;
};

/// Bounding boxes of where a query's logits are positive, [B, stride]: each side is kept as a maximum (width - x,
/// x + 1, height - y, y + 1), so that zero means that there is none. Zeros between calls.
struct QueryReach {
  std::uint32_t *from_right, *right, *from_bottom, *bottom;
  std::int32_t stride;  ///< a multiple of kReachOfSector
};
constexpr int kReachOfSector = 8;

/// Masks of queries on their way to instances: one job for each query of each image that has a pair.
struct QueryMasks {
  MaskJobs jobs;
  InstanceHeader* header;    ///< of the jobs
  InstanceRecord* records;   ///< of each job
  std::uint64_t* inside;     ///< of each job: the sum of its mask's probabilities, in units of 2^-32
  std::int32_t* job_of;      ///< [B, Q]: its job; -1: none
  std::uint8_t* has_a_pair;  ///< [B, Q]
};

constexpr int kPlaneThreads = 256, kPlaneColumns = 32, kPlaneRows = kPlaneThreads / 32, kPlaneQueries = 32;

struct QueryPlanesParams {
  Map masks;
  const MaskCall* call;
  PlanarLogits planar;
  QueryReach reach;
  QueryClassPairs pairs;
  QueryMasks queries;
  std::uint32_t* blocks_done;
  std::int32_t batch, tiles_across;
};

constexpr int kRankThreads = 256;

struct RankInstancesParams {
  const MaskCall* call;
  QueryClassPairs pairs;
  QueryMasks queries;
  InstanceHeader* header;
  InstanceRecord* records;
  std::uint32_t* first_of_image;  ///< [B + 1]
  std::int32_t batch, queries_of_image;
};

/// What a call wants of maps of numbers at the images' own sizes; a PictureOfCall for each image follows it.
struct PictureCall {
  std::int32_t* numbers;  ///< of all images, one behind the other
  std::int32_t tiles;     ///< of all images
  std::int32_t reserved[5];
};
struct PictureOfCall {
  ImageGeometry geometry;
  std::uint64_t first_number;  ///< in PictureCall::numbers
  std::int32_t first_tile, tiles_across;
};
static_assert(sizeof(PictureCall) == 32 && sizeof(PictureOfCall) % 16 == 0);

/// Tiles of class_map.cu: columns, and by the number of pixels rows.
constexpr int kClassThreads = 256, kClassColumns = 16, kClassesAtOnce = 8;
/// Bytes of its shared memory for the probabilities of so many queries.
constexpr int class_map_bytes(int queries, int pixels) { return queries * (pixels + 1) * 4; }

struct ClassMapParams {
  Map masks;
  const float* shares;  ///< as ClassSharesParams has them
  const PictureCall* call;
  std::int32_t batch, classes, stride;
  std::int32_t resize_after;  ///< 1: probabilities are made at the size of the network's input
};

/// Tiles of segment_map.cu.
constexpr int kSegmentThreads = 256, kSegmentColumns = 32, kSegmentRows = kSegmentThreads / 32;

/// How many pixels a candidate has: of its mask, where it is the most probable, and of those inside of its mask.
struct CandidateCounts {
  std::uint32_t inside, won, area;
};

/// One segment; its pixels have its place plus one as number.
struct SegmentRecord {
  std::int32_t query, class_id;
  float probability;
  std::int32_t is_thing;
  std::uint32_t area;
  std::int32_t left, top, right, bottom;  ///< inclusive
  std::int32_t reserved[3];
};
static_assert(sizeof(SegmentRecord) == 48);

struct SegmentMapParams {
  Map masks;
  const BestShare* best;  ///< [B, Q]
  const PictureCall* call;
  const std::uint8_t* things;  ///< [K], null: all are
  CandidateCounts* counts;     ///< [B, Q], in the order of candidates; zeros between calls
  std::int32_t* id_of;         ///< [B, Q], in the order of candidates: the number of their pixels, 0: none
  std::int32_t* segments;      ///< [B]: how many there are
  SegmentRecord* records;      ///< [B, Q]
  std::uint32_t* blocks_done;
  std::int32_t batch, queries, classes;
  float object_mask_threshold, overlap_threshold;
};
/// Bytes of the shared memory of its kernels.
constexpr int segment_map_bytes(int queries) { return queries * 6 * 4; }

}  // namespace maskrt::kernels::cuda
