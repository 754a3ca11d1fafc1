#include "palette.h"

#include <numbers>

namespace maskrt::cli {
namespace {

double linear_from_srgb(std::uint8_t value) {
  const double v = value / 255.0;
  return v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
}

std::uint8_t srgb_from_linear(double value) {
  const double v = std::clamp(value, 0.0, 1.0);
  const double encoded = v <= 0.0031308 ? 12.92 * v : 1.055 * std::pow(v, 1 / 2.4) - 0.055;
  return static_cast<std::uint8_t>(std::lround(encoded * 255));
}

double luminance(Color color) {
  return 0.2126 * linear_from_srgb(color.r) + 0.7152 * linear_from_srgb(color.g) + 0.0722 * linear_from_srgb(color.b);
}

}  // namespace

Color from_oklch(double lightness, double chroma, double hue) {
  const double a = chroma * std::cos(hue), b = chroma * std::sin(hue);
  const double l = std::pow(lightness + 0.3963377774 * a + 0.2158037573 * b, 3);
  const double m = std::pow(lightness - 0.1055613458 * a - 0.0638541728 * b, 3);
  const double s = std::pow(lightness - 0.0894841775 * a - 1.2914855480 * b, 3);
  return {srgb_from_linear(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
          srgb_from_linear(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
          srgb_from_linear(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s)};
}

Color class_color(const Category& category, int class_id) {
  const Color own = {category.color[0], category.color[1], category.color[2]};
  if (own != Color()) return own;
  // The golden angle keeps any run of consecutive classes spread around the circle; the lightness sets apart those
  // that come to lie near each other later.
  constexpr double golden_angle = 2 * std::numbers::pi * 0.3819660112501051;
  constexpr double first_hue = 0.45;
  constexpr double lightness[] = {0.70, 0.80, 0.62};
  constexpr double chroma = 0.19;
  return from_oklch(lightness[class_id % 3], chroma, first_hue + golden_angle * class_id);
}

double contrast(Color a, Color b) {
  const double x = luminance(a), y = luminance(b);
  return (std::max(x, y) + 0.05) / (std::min(x, y) + 0.05);
}

Color text_color_on(Color background) {
  constexpr Color black = {0, 0, 0}, white = {255, 255, 255};
  return contrast(white, background) >= contrast(black, background) ? white : black;
}

}  // namespace maskrt::cli
