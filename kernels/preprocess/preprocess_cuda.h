// Image bytes to the network's input on a CUDA device. The formula is in preprocess.h.
#pragma once

#include "kernels/cuda/launch.h"
#include "preprocess.h"
#include "preprocess_params.h"

namespace maskrt::kernels {

/// What one image of a call puts into the block that preprocess_cuda reads. `image.data` is device memory; rows may lie
/// any distance apart, at any alignment; what lies between them is read, too, what lies beside the image is not. Throws
/// Error where preprocess_ref would.
cuda::ImageToResize image_to_resize(const Pixels& image, int width, int height, const Normalisation& normalisation,
                                    const Tensor& out);

/// out[b, y, x, c] for all images of the batch as preprocess.h defines it, bit for bit: Pillow's coefficients are
/// computed where they are used, in double and in Pillow's order. images: out.batch of them in device memory, 8-byte
/// aligned; read when the kernel runs, so that one recorded launch serves every set of images. `normalisation.rgb`
/// stands in them, not here. out: [B, padded height, padded width, 3] NHWC, fp32 or fp16 (rounded once), any pixel
/// stride; channels 3 to block are written as zeros. 16-byte accesses where a pixel is as wide and as aligned. One
/// launch, whose grid depends on out's shape alone. Every source row is read once for 32 rows of the output; bound by
/// memory and by the integer sums (about 5 taps an axis for an image of twice the size).
void preprocess_cuda(CudaQueue& queue, const cuda::ImageToResize* images, const Normalisation& normalisation,
                     const Tensor& out);

}  // namespace maskrt::kernels
