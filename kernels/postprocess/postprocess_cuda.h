// Logits to instances on a CUDA device. What is computed is in postprocess.h; here is how it comes back.
//
// Three launches, whose grids depend on the plan alone:
//   score_queries  probabilities of the upsampled map, rescoring, the part of the map that can set bits, transposed
//                  logits; the last block selects, in the order of queries, and says where each instance's bits go;
//   mask_words     bits of the original image, 16 columns by up to 24 words at a time, areas, boxes;
//   mask_runs      COCO's run lengths, where asked for.
// All that changes from call to call stands in a block of device memory (PostprocessCall), so that the launches can be
// recorded once. The result block has a fixed size; bits lie in a buffer of their own that may grow between calls.
#pragma once

#include <span>
#include <vector>

#include "kernels/cuda/launch.h"
#include "postprocess.h"
#include "postprocess_params.h"

namespace maskrt::kernels {

/// What stays the same for all calls of a plan. Device memory; tensors as in postprocess_cpu but for the mask logits.
struct PostprocessPlan {
  Tensor class_logits;                      ///< list [B, N, 1, classes], fp32
  Tensor objectness_logits;                 ///< list [B, N, 1, 1], fp32
  Tensor mask_logits;                       ///< [B, h, w, N] NHWC, fp32 or fp16
  int factor = 1;                           ///< 1 or 2: how much larger the map of probabilities is, resized bilinearly
  int padded_width = 0, padded_height = 0;  ///< the network's input; masks are no larger
};

/// Bytes of scratch memory that calls of this plan share. 256-byte aligned; zeros before the first call, in the state
/// to be used again after each.
std::size_t postprocess_workspace_bytes(const PostprocessPlan& plan);
/// Sets to zero what must be. One operation of the queue; once for each workspace, and after a call that failed.
void clear_postprocess_workspace(CudaQueue& queue, const PostprocessPlan& plan, std::byte* workspace);

/// Bytes of the block that describes one call, 16-byte aligned in device memory.
std::size_t postprocess_call_bytes(std::int64_t batch);
/// Device memory for what has no fixed size.
struct MaskBuffers {
  std::uint64_t* words = nullptr;
  std::uint64_t word_capacity = 0;
  std::uint32_t* runs = nullptr;  ///< null: no run lengths
  std::uint64_t run_capacity = 0;
};
/// Fills such a block in host memory. One geometry an image, whose padded sizes are the plan's.
/// Throws Error where sizes are below 1, the count is not the batch or the block is too small.
void describe_postprocess_call(const PostprocessPlan& plan, std::span<const Geometry> images,
                               const PostprocessSettings& settings, const MaskBuffers& buffers,
                               std::span<std::byte> call);

/// Bytes of the result block: PostprocessHeader, then room for B * N InstanceRecords, then at first_of_image_offset()
/// B + 1 numbers of 32 bits: which record is the first of each image, and how many there are. 16-byte aligned.
std::size_t postprocess_result_bytes(const PostprocessPlan& plan);
std::size_t first_of_image_offset(const PostprocessPlan& plan);
/// The most words that masks of these images can need: a buffer of this size is never too small, and mostly much too
/// large, because words are stored for the part of the image alone that a mask can reach. Up to three zeros lie between
/// two masks, so that each begins a sector of memory.
std::uint64_t most_mask_words(const PostprocessPlan& plan, std::span<const Geometry> images);

/// What differs from postprocess_ref by rounding alone: probabilities within 1e-6, hence scores; bits where the blended
/// probability is that close to the threshold. Bitwise repeatable: sums are in fixed point or in a fixed order.
/// call, workspace, result: device memory as above. `runs`: whether mask_runs is launched at all; where it is, a call
/// without a buffer for runs makes none. Throws Error where the plan's tensors are not those above.
/// Bound by the arithmetic of the pixels near a mask's border, about 1 warp instruction a pixel.
void postprocess_cuda(CudaQueue& queue, const PostprocessPlan& plan, const std::byte* call, std::byte* workspace,
                      std::byte* result, bool runs);

/// A result block in host memory.
struct PostprocessResult {
  cuda::PostprocessHeader header;
  std::span<const cuda::InstanceRecord> records;
};
/// Views a downloaded block. Where header.words exceeds the capacity that the call named, no bits were written: grow
/// the buffer and make the call again, the network's outputs being still there. Otherwise as many words are to be
/// downloaded. Throws Error where the block is too small for what it says.
PostprocessResult read_result(std::span<const std::byte> block);

/// The instances of each image, in the order of queries, with their masks at full size. `words`: header.words of them,
/// or none where no masks were asked for. Pure; thread-safe.
std::vector<std::vector<DetectedInstance>> instances_of(const PostprocessResult& result,
                                                        std::span<const Geometry> images,
                                                        std::span<const std::uint64_t> words);
/// The same with run lengths for masks: header.runs of them. Of `mask` there is the size alone.
std::vector<std::vector<DetectedInstance>> instances_of(const PostprocessResult& result,
                                                        std::span<const Geometry> images,
                                                        std::span<const std::uint32_t> runs);

}  // namespace maskrt::kernels
