// Mask logits to bits at the images' own sizes on a CUDA device: the part of post-processing that all heads share.
//
// The head's own kernel chooses the instances, places their masks (place_masks.cuh) and leaves the logits transposed, a
// plane a query. Then, with grids that depend on the plan alone:
//   mask_words  bits of the original image, 16 columns by up to 24 words at a time, areas, boxes;
//   mask_runs   COCO's run lengths, where asked for.
// All that changes from call to call stands in a block of device memory (cuda::MaskCall), so that the launches can be
// recorded once. The instances have a block of fixed size (instance_block.h); bits lie in a buffer of their own that may
// grow between calls.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "instance.h"
#include "kernels/cuda/launch.h"
#include "kernels/tensor.h"
#include "mask_params.h"

namespace maskrt::kernels {

/// What stays the same for all calls of a plan.
struct MaskPlan {
  Tensor logits;   ///< [B, h, w, N] NHWC, fp32 or fp16
  int factor = 1;  ///< 1 or 2: how much larger the map of probabilities is, resized bilinearly
  int padded_width = 0, padded_height = 0;  ///< the network's input; the map is no larger
  float threshold = 0.45f;                  ///< on the probability, at the image's own size

  std::int64_t map_width() const { return logits.width * factor; }
  std::int64_t map_height() const { return logits.height * factor; }
};

/// Throws Error where the factor is neither 1 nor 2, or the map is larger than the input.
void check(const MaskPlan& plan);

/// Device memory for what has no fixed size.
struct MaskBuffers {
  std::uint64_t* words = nullptr;
  std::uint64_t word_capacity = 0;
  std::uint32_t* runs = nullptr;  ///< null: no run lengths
  std::uint64_t run_capacity = 0;
};

/// What one call asks for.
struct MaskRequest {
  float minimum_score = 0;  ///< on the final score: instances below are dropped before their masks are made
  bool masks = true;        ///< false: scores and classes alone
  MaskBuffers buffers;
};

/// Bytes of the block that describes one call, 16-byte aligned in device memory.
std::size_t mask_call_bytes(std::int64_t batch);
/// Fills such a block in host memory. One geometry an image, whose padded sizes are the plan's. Throws Error where sizes
/// are below 1, the count is not the batch or the block is too small.
void describe_mask_call(const MaskPlan& plan, std::span<const Geometry> images, const MaskRequest& request,
                        std::span<std::byte> call);

/// The most words that masks of these images can need, of `queries` in each: a buffer of this size is never too small, and
/// mostly much too large, because words are stored for the part of the image alone that a mask can reach. Up to three
/// zeros lie between two masks, so that each begins a sector of memory.
std::uint64_t most_mask_words(std::int64_t queries, std::span<const Geometry> images);

/// What the head's kernel has left in device memory.
struct PlacedMasks {
  const cuda::MaskCall* call = nullptr;
  cuda::PlanarLogits planar{};
  cuda::InstanceHeader* header = nullptr;
  cuda::MaskJobs jobs{};
  cuda::InstanceRecord* records = nullptr;
};

/// Bits, areas and boxes of all placed masks; run lengths too where `runs`, and the call has a buffer for them. Bits differ
/// from the reference's where the blended probability is within rounding of the threshold alone; bitwise repeatable.
/// Bound by the arithmetic of the pixels near a mask's border, about 1 warp instruction a pixel.
void masks_cuda(CudaQueue& queue, const MaskPlan& plan, const PlacedMasks& placed, bool runs);

}  // namespace maskrt::kernels
