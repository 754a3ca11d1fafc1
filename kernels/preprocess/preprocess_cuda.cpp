#include "preprocess_cuda.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>

#include "kernels/cuda/kernel_family.h"
#include "kernels/cuda/map_of.h"
#include "preconditions.h"

namespace maskrt::kernels {
namespace {

using enum DataType;
constexpr cuda::KernelFamily kPreprocess{
    "preprocess",
    "input",
    {{{f32}, {"preprocess/preprocess", "preprocess_f32"}}, {{f16}, {"preprocess/preprocess", "preprocess_f16"}}}};

/// Whether multiplying by the inverse with one correction, as the kernel does instead of dividing, gives the bits of
/// the quotient for each of the 256 bytes.
bool inverse_suffices(float mean, float deviation, float inverse) {
  for (int byte = 0; byte < 256; ++byte) {
    const float distance = static_cast<float>(byte) - mean, quotient = distance * inverse;
    const float corrected = std::fma(std::fma(-quotient, deviation, distance), inverse, quotient);
    if (std::bit_cast<std::uint32_t>(corrected) != std::bit_cast<std::uint32_t>(distance / deviation)) return false;
  }
  return true;
}

}  // namespace

cuda::ImageToResize image_to_resize(const Pixels& image, int width, int height, const Normalisation& normalisation,
                                    const Tensor& out) {
  check_preprocess(image, width, height, out);
  cuda::ImageToResize described{};
  described.pixels = image.data;
  described.row_stride = image.row_stride;
  described.width = image.width;
  described.height = image.height;
  described.resized_width = width;
  described.resized_height = height;
  described.pixel_bytes = bytes_of_pixel(image.order);
  described.reversed = (image.order == PixelOrder::rgb) != normalisation.rgb ? 1 : 0;
  return described;
}

void preprocess_cuda(CudaQueue& queue, const cuda::ImageToResize* images, const Normalisation& normalisation,
                     const Tensor& out) {
  cuda::PreprocessParams params{};
  params.images = images;
  params.out = cuda::map_of(out, "preprocess: input");
  if (out.channels != 3)
    throw Error("preprocess: expected an input of 3 channels, found " + std::to_string(out.channels));
  std::copy_n(normalisation.mean, 3, params.mean);
  std::copy_n(normalisation.std, 3, params.std);
  for (int c = 0; c < 3; ++c) {
    params.inverse[c] = 1.0f / params.std[c];
    if (!inverse_suffices(params.mean[c], params.std[c], params.inverse[c])) params.divides = 1;
  }
  const auto tiles = [](std::int64_t size, int tile) { return static_cast<std::uint32_t>((size + tile - 1) / tile); };
  queue.launch({.kernel = kPreprocess.of({out.type}),
                .grid = {tiles(out.width, cuda::kPreprocessTileWidth), tiles(out.height, cuda::kPreprocessTileHeight),
                         static_cast<std::uint32_t>(out.batch)},
                .block = {cuda::kPreprocessThreads},
                .parameters = bytes_of(params)});
}

}  // namespace maskrt::kernels
