// Image bytes to the network's input on a CUDA device. The formula is in preprocess.h.
#pragma once

#include "kernels/cuda/launch.h"
#include "preprocess.h"
#include "preprocess_params.h"

namespace maskrt::kernels {

/// Returns the descriptor of one image for preprocess_cuda. `image.data` is device memory; rows may have any stride and
/// any alignment. Bytes between rows may be read, bytes before the first pixel and after the last are not. Throws
/// Error where preprocess_ref would.
cuda::ImageToResize image_to_resize(const Pixels& image, int width, int height, const Normalisation& normalisation,
                                    const Tensor& out);

/// out[b, y, x, c] = (resize(image_b)[y, x, c] - mean[c]) / std[c], and 0 outside of the resized image, for all images
/// of the batch, with the bits of preprocess_ref (preprocess.h).
/// images: out.batch descriptors in device memory, aligned to 8 bytes, read when the kernel runs, so that one recorded
/// launch serves every set of images. Their `reversed` decides the channel order; normalisation.rgb is ignored here.
/// out [B, padded height, padded width, 3], NHWC, fp32 or fp16 (rounded once), any pixel stride and alignment of
/// elements; 16-byte stores where a pixel is that wide and aligned. Must not alias an image. No workspace. Channels [3,
/// block) are written as zeros. Batch at most 65535. One launch, whose grid depends on out's shape alone.
/// Every source row is read once for every 32 rows of the output. Bound by memory and by the integer multiply-adds,
/// about 5 taps an axis for an image of twice the size.
void preprocess_cuda(CudaQueue& queue, const cuda::ImageToResize* images, const Normalisation& normalisation,
                     const Tensor& out);

}  // namespace maskrt::kernels
