#include "canvas.h"

#include "runtime/support/pixel_format.h"

namespace maskrt::cli {

Canvas::Canvas(const Image& image) : width_(image.width()), height_(image.height()) {
  const auto width = static_cast<std::size_t>(width_);
  rgb_.reserve(width * static_cast<std::size_t>(height_) * 3);
  for (int y = 0; y < height_; ++y) {
    const std::uint8_t* const row = image.row(y);
    if (image.format() == PixelFormat::rgb) {
      rgb_.insert(rgb_.end(), row, row + 3 * width);
      continue;
    }
    const auto step = static_cast<std::size_t>(bytes_of_pixel(image.format()));
    const std::size_t red = step - 1, green = step / 2;
    for (std::size_t x = 0; x < step * width; x += step)
      rgb_.insert(rgb_.end(), {row[x + red], row[x + green], row[x]});
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

void Canvas::fill_rounded_box(const PixelBox& box, float radius, Color color, float alpha) {
  const float half_width = 0.5f * static_cast<float>(box.width), half_height = 0.5f * static_cast<float>(box.height);
  const float corner = std::min({radius, half_width, half_height});
  for (int y = 0; y < box.height; ++y) {
    for (int x = 0; x < box.width; ++x) {
      // How far the pixel's centre lies outside of the box shrunk by the corner's radius, in each direction.
      const float dx = std::max(0.0f, std::fabs(static_cast<float>(x) + 0.5f - half_width) - (half_width - corner));
      const float dy = std::max(0.0f, std::fabs(static_cast<float>(y) + 0.5f - half_height) - (half_height - corner));
      const float coverage =
          dx > 0 && dy > 0 ? std::clamp(corner - std::sqrt(dx * dx + dy * dy) + 0.5f, 0.0f, 1.0f) : 1.0f;
      blend(box.x + x, box.y + y, color, alpha * coverage);
    }
  }
}

}  // namespace maskrt::cli
