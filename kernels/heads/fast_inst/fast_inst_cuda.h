// FastInst's head on a CUDA device: logits to instances, to a class for each pixel, or to segments. The formulas are in
// fast_inst.h.
//
// class_shares computes the probabilities of classes for all three. Instances: select_top takes the most probable pairs
// of a query and a class; query_planes writes the logits of queries as planes and places the masks; mask_words makes
// the bits and the sums of probabilities inside, mask_runs run lengths where they are wanted; rank_instances puts both
// together. Classes: class_map. Segments: compete_for_pixels, paint_segments.
#pragma once

#include "fast_inst.h"
#include "kernels/heads/instance_head.h"

namespace maskrt::kernels {

/// Tensors, in device memory, and settings that are the same for all calls of a plan.
struct FastInstPlan {
  Tensor class_logits;  ///< list [B, Q, 1, K + 1], fp32
  Tensor mask_logits;   ///< [B, h, w, Q] NHWC, fp32 or fp16
  int padded_width = 0, padded_height = 0;
  int detections = 100;  ///< as FastInstSettings has them
  float object_mask_threshold = 0.8f, overlap_threshold = 0.8f;
  bool resize_before_semantic = true;
  const std::uint8_t* things = nullptr;  ///< [K] in device memory: 1 for a class of things; null: all are
  bool things_alone = false;
};

/// Throws Error where the tensors do not have one batch and one number of queries, where there is no class, where there
/// are more pairs than select_top takes, and as check(MaskPlan) does.
void check(const FastInstPlan& plan);

/// Instances, best score first; of equal scores the lower query, then the lower class. Scores of classes, sums and
/// means differ from the reference's by rounding; hence the order where scores, and the choice where probabilities are
/// as near, and bits where the blended logit is within rounding of 0. Bitwise repeatable: sums are of integers or in a
/// fixed order. Five launches, with run lengths six. A query's classes share its mask's bits and run lengths.
class FastInstInstances final : public InstanceHead {
 public:
  explicit FastInstInstances(const FastInstPlan& plan);

  const MaskPlan& masks() const override { return masks_; }
  InstanceBlock block() const override { return {plan_.class_logits.batch, pairs_}; }
  std::size_t workspace_bytes() const override;
  void clear(CudaQueue& queue, std::byte* workspace) const override;
  void launch(CudaQueue& queue, const HeadMemory& memory, bool runs) const override;

 private:
  FastInstPlan plan_;
  MaskPlan masks_;
  std::int64_t pairs_;  ///< of an image
};

/// Numbers for the pixels of a call's pictures, at their own sizes.
struct PictureNumbers {
  /// Of all pictures: their pixels' numbers lie one behind the other, row by row.
  static std::uint64_t count(std::span<const Geometry> pictures);
  /// Bytes of the block that describes a call of `batch` pictures, aligned to 16 in device memory.
  static std::size_t call_bytes(std::int64_t batch);
  /// Fills such a block in host memory for tiles of `columns` by `rows` pixels. `numbers`: room for count(), in device
  /// memory. Throws Error as describe_mask_call() does, and where there are 2^31 tiles or more.
  static void describe(const FastInstPlan& plan, std::span<const Geometry> pictures, std::int32_t* numbers, int columns,
                       int rows, std::span<std::byte> call);
};

/// Device memory of the launches below, each address aligned to 256 bytes.
struct PictureMemory {
  const std::byte* call = nullptr;  ///< a described call
  std::byte* workspace = nullptr;   ///< as HeadMemory's
  std::byte* result = nullptr;      ///< of segments: FastInstSegmentMap::result_bytes()
};

/// A class for each pixel. Sums are in fp32, in the order of queries; their best differs from the reference's where
/// others are as good within rounding. Two launches.
class FastInstClassMap {
 public:
  explicit FastInstClassMap(const FastInstPlan& plan);
  std::size_t workspace_bytes() const;
  /// Fills the block of a call; as PictureNumbers::describe.
  void describe(const Chip& chip, std::span<const Geometry> pictures, std::int32_t* numbers,
                std::span<std::byte> call) const;
  /// Throws Error where the chip's shared memory has no room for the probabilities of so many queries.
  void launch(CudaQueue& queue, const PictureMemory& memory) const;

 private:
  FastInstPlan plan_;
};

/// Segments, and the number of its segment, from 1, for each pixel. As FastInstClassMap; which pixels a segment has
/// differs from the reference's where two queries are as probable, or a logit as near 0, within rounding. Three
/// launches.
class FastInstSegmentMap {
 public:
  explicit FastInstSegmentMap(const FastInstPlan& plan);
  std::size_t workspace_bytes() const;
  std::size_t result_bytes() const;
  void clear(CudaQueue& queue, std::byte* workspace) const;
  void describe(std::span<const Geometry> pictures, std::int32_t* numbers, std::span<std::byte> call) const;
  void launch(CudaQueue& queue, const PictureMemory& memory) const;

  /// The segments of each picture, of a downloaded result block.
  std::vector<std::vector<FastInstSegments::Segment>> read(std::span<const std::byte> result) const;

 private:
  FastInstPlan plan_;
};

}  // namespace maskrt::kernels
