// The plain loops that define the resize and the network's input.
#include <algorithm>
#include <vector>

#include "kernels/element.h"
#include "pillow_taps.h"
#include "preconditions.h"
#include "preprocess.h"

namespace maskrt::kernels {
namespace {

/// One pass: `lines` independent lines of `in` pixels become `out` pixels. Steps count bytes; channels follow each
/// other.
void resize_axis(const std::uint8_t* from, int in, std::ptrdiff_t from_step, std::ptrdiff_t from_line, std::uint8_t* to,
                 int out, std::ptrdiff_t to_step, std::ptrdiff_t to_line, int lines, int channels) {
  const PillowTaps taps = pillow_taps(in, out);
  for (int line = 0; line < lines; ++line) {
    for (int i = 0; i < out; ++i) {
      for (int c = 0; c < channels; ++c) {
        std::int32_t sum = PillowTaps::kHalf;
        for (int k = 0; k < taps.count[i]; ++k) {
          sum += from[line * from_line + (taps.first[i] + k) * from_step + c] *
                 taps.weights[static_cast<std::size_t>(i) * taps.most + k];
        }
        to[line * to_line + i * to_step + c] = static_cast<std::uint8_t>(std::clamp(sum >> PillowTaps::kBits, 0, 255));
      }
    }
  }
}

}  // namespace

void resize_pillow_ref(const std::uint8_t* in, int in_width, int in_height, int channels, std::uint8_t* out, int width,
                       int height) {
  const std::ptrdiff_t pixel = channels, in_row = pixel * in_width, out_row = pixel * width;
  std::vector<std::uint8_t> narrowed(in, in + in_row * in_height);
  if (width != in_width) {
    narrowed.resize(static_cast<std::size_t>(out_row * in_height));
    resize_axis(in, in_width, pixel, in_row, narrowed.data(), width, pixel, out_row, in_height, channels);
  }
  if (height != in_height) {
    resize_axis(narrowed.data(), in_height, out_row, pixel, out, height, out_row, pixel, width, channels);
  } else {
    std::copy(narrowed.begin(), narrowed.end(), out);
  }
}

void preprocess_ref(const Pixels& image, int width, int height, const Normalisation& normalisation, const Tensor& out,
                    std::int64_t b) {
  check_preprocess(image, width, height, out);
  const int channels = bytes_of_pixel(image.order);
  std::vector<std::uint8_t> dense_rows;
  for (int y = 0; y < image.height; ++y) {
    const std::uint8_t* row = image.data + y * image.row_stride;
    dense_rows.insert(dense_rows.end(), row, row + static_cast<std::ptrdiff_t>(image.width) * channels);
  }
  std::vector<std::uint8_t> resized(static_cast<std::size_t>(width) * height * channels);
  resize_pillow_ref(dense_rows.data(), image.width, image.height, channels, resized.data(), width, height);

  const bool reversed = (image.order == PixelOrder::rgb) != normalisation.rgb;
  const Tensor whole = padded(out);
  for (std::int64_t y = 0; y < whole.height; ++y) {
    for (std::int64_t x = 0; x < whole.width; ++x) {
      for (std::int64_t c = 0; c < whole.channels; ++c) {
        float value = 0;
        if (y < height && x < width && c < 3) {
          const std::int64_t source = channels == 1 ? 0 : reversed ? 2 - c : c;
          value = (static_cast<float>(resized[static_cast<std::size_t>((y * width + x) * channels + source)]) -
                   normalisation.mean[c]) /
                  normalisation.std[c];
        }
        set(whole, b, y, x, c, value);
      }
    }
  }
}

}  // namespace maskrt::kernels
