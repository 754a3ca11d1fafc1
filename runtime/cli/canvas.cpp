#include "canvas.h"

namespace maskrt::cli {

Canvas::Canvas(const Image& image) : Canvas(image.width(), image.height(), Color()) {
  std::uint8_t* out = rgb_.data();
  for (int y = 0; y < height_; ++y) {
    const std::uint8_t* row = image.row(y);
    for (int x = 0; x < width_; ++x, out += 3) {
      if (image.format() == PixelFormat::grey) {
        std::fill_n(out, 3, row[x]);
      } else {
        std::copy_n(row + std::ptrdiff_t{3} * x, 3, out);
        if (image.format() == PixelFormat::bgr) std::swap(out[0], out[2]);
      }
    }
  }
}

Canvas::Canvas(int width, int height, Color color) : width_(width), height_(height) {
  rgb_.resize(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3);
  for (std::size_t i = 0; i < rgb_.size(); i += 3) {
    rgb_[i] = color.r;
    rgb_[i + 1] = color.g;
    rgb_[i + 2] = color.b;
  }
}

void Canvas::fill_rounded_box(const Box& box, float radius, Color color, float alpha) {
  const float half_width = 0.5f * static_cast<float>(box.width), half_height = 0.5f * static_cast<float>(box.height);
  const float corner = std::min({radius, half_width, half_height});
  for (int y = 0; y < box.height; ++y) {
    for (int x = 0; x < box.width; ++x) {
      // How far the pixel's centre lies outside of the box shrunk by the corner's radius, in each direction.
      const float dx = std::max(0.0f, std::fabs(static_cast<float>(x) + 0.5f - half_width) - (half_width - corner));
      const float dy = std::max(0.0f, std::fabs(static_cast<float>(y) + 0.5f - half_height) - (half_height - corner));
      const float coverage = std::clamp(corner - std::hypot(dx, dy) + 0.5f, 0.0f, 1.0f);
      blend(box.x + x, box.y + y, color, alpha * coverage);
    }
  }
}

}  // namespace maskrt::cli
