// Mask logits to packed bits at the images' own sizes on a CUDA device: the part of post-processing that all heads
// share.
//
// The head's own kernel selects the instances, assigns their masks' places (place_masks.cuh) and writes the logits
// transposed, one plane a query. Then two persistent kernels, whose grids depend on the plan alone:
//   mask_words  bits of the original image, in tiles of 16 columns by up to 24 words; areas and bounding boxes;
//   mask_runs   COCO run lengths, where requested.
// What changes from call to call is in a block of device memory (cuda::MaskCall), so that the launches can be recorded
// once. The instances are in a block of fixed size (instance_block.h), the bits in a buffer that may grow between
// calls.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "instance.h"
#include "kernels/cuda/launch.h"
#include "kernels/tensor.h"
#include "mask_params.h"

namespace maskrt::kernels {

/// Shapes and settings that are the same for all calls of a plan.
struct MaskPlan {
  Tensor logits;                            ///< [B, h, w, N] NHWC, fp32 or fp16
  int factor = 1;                           ///< bilinear upsampling of the logits to the probability map: 1 or 2
  int padded_width = 0, padded_height = 0;  ///< size of the network's input, at least that of the map
  float threshold = 0.45f;                  ///< threshold on the probability at the image's own size

  std::int64_t map_width() const { return logits.width * factor; }
  std::int64_t map_height() const { return logits.height * factor; }
};

/// Throws Error where the factor is neither 1 nor 2, or the map is larger than the input.
void check(const MaskPlan& plan);

/// Output buffers of variable size, in device memory.
struct MaskBuffers {
  std::uint64_t* words = nullptr;
  std::uint64_t word_capacity = 0;
  std::uint32_t* runs = nullptr;  ///< null: run lengths are not requested
  std::uint64_t run_capacity = 0;
};

/// The settings of one call.
struct MaskRequest {
  float minimum_score = 0;  ///< instances whose final score is below are dropped before their masks are computed
  bool masks = true;        ///< false: scores and classes only
  MaskBuffers buffers;
};

/// Bytes of the block that describes one call; it is aligned to 16 bytes in device memory.
std::size_t mask_call_bytes(std::int64_t batch);
/// Fills such a block in host memory. One geometry for each image, with the plan's padded size. Throws Error where
/// sizes are below 1, the number of geometries is not the batch, or the block is too small.
void describe_mask_call(const MaskPlan& plan, std::span<const Geometry> images, const MaskRequest& request,
                        std::span<std::byte> call);

/// Upper bound of the words that masks of these images need with `queries` instances in each. Mostly far too large,
/// because words are stored only for the part of the image that a mask can reach. Masks are padded by up to three zero
/// words, so that each starts at a sector.
std::uint64_t most_mask_words(std::int64_t queries, std::span<const Geometry> images);

/// Results of the head's kernel in device memory.
struct PlacedMasks {
  const cuda::MaskCall* call = nullptr;
  cuda::PlanarLogits planar{};
  cuda::InstanceHeader* header = nullptr;
  cuda::MaskJobs jobs{};
  cuda::InstanceRecord* records = nullptr;
  /// Null: bits are of probabilities above the plan's threshold. Else logits are blended, bits are of those above 0,
  /// and each job's number here grows by the sum of their probabilities, in units of 2^-32.
  std::uint64_t* inside = nullptr;
};

/// Computes bits, areas and boxes of all placed masks, and with `runs` their run lengths, if the call has a buffer for
/// them. Bits differ from the reference's only where the blended probability is within rounding of the threshold;
/// bitwise repeatable. One launch, with `runs` two. Bound by arithmetic near the masks' borders, about 1 warp
/// instruction a pixel.
void masks_cuda(CudaQueue& queue, const MaskPlan& plan, const PlacedMasks& placed, bool runs);

}  // namespace maskrt::kernels
