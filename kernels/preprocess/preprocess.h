// Image bytes to the network's input: Pillow-exact resize, normalisation, padding and layout.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/tensor.h"

namespace maskrt::kernels {

enum class PixelOrder : std::uint8_t { rgb, bgr, grey };

/// Bytes of one pixel, each of one channel.
constexpr int bytes_of_pixel(PixelOrder order) { return order == PixelOrder::grey ? 1 : 3; }

/// 8-bit pixels, 3 bytes each (1 for grey), rows `row_stride` bytes apart. Not owned.
struct Pixels {
  const std::uint8_t* data = nullptr;
  int width = 0, height = 0;
  std::ptrdiff_t row_stride = 0;
  PixelOrder order = PixelOrder::rgb;
};

struct Normalisation {
  bool rgb = true;  ///< channel order of the output
  float mean[3] = {0, 0, 0}, std[3] = {1, 1, 1};
};

/// out[b, y, x, c] = (resize(image)[y, x, c] - mean[c]) / std[c] for y < height, x < width, and 0 beyond: padding comes
/// after normalising. The resize is Pillow's BILINEAR on uint8, bit for bit (Pillow 12 and before: horizontal pass
/// first, each pass rounded and clipped to uint8, a pass that changes no size skipped).
/// out: [batch, padded height, padded width, 3], fp32 or bf16, any blocking; padding channels of the block are written
/// as zeros. Throws Error unless 1 <= width <= out.width and 1 <= height <= out.height. Rows are divided among OpenMP
/// threads where the library is built with OpenMP.
void preprocess_cpu(const Pixels& image, int width, int height, const Normalisation& normalisation, const Tensor& out,
                    std::int64_t b);

/// The reference: plain loops that define preprocess_cpu.
void preprocess_ref(const Pixels& image, int width, int height, const Normalisation& normalisation, const Tensor& out,
                    std::int64_t b);

/// The resize alone: `channels` (1 to 4) interleaved bytes, dense rows. `out` holds width * height * channels bytes.
void resize_pillow_ref(const std::uint8_t* in, int in_width, int in_height, int channels, std::uint8_t* out, int width,
                       int height);
void resize_pillow_cpu(const std::uint8_t* in, int in_width, int in_height, int channels, std::uint8_t* out, int width,
                       int height);

}  // namespace maskrt::kernels
