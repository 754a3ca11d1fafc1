#include "distance.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace maskrt::cli {
namespace {

constexpr float kNoEdge = 1e6f;
constexpr float kFarAway = 1e12f;  // squared; finite, so that differences of two stay numbers

/// One line of the squared distance transform: out[i] = min over j of (i - j)^2 + in[j], as the lower envelope of the
/// parabolas that stand on the points j.
class LineTransform {
 public:
  explicit LineTransform(int longest)
      : in_(static_cast<std::size_t>(longest)),
        apex_(static_cast<std::size_t>(longest)),
        from_(static_cast<std::size_t>(longest) + 1) {}

  void run(float* line, std::size_t step, int length) {
    for (int i = 0; i < length; ++i) in_[at(i)] = line[at(i) * step];
    int count = 0;
    for (int j = 0; j < length; ++j) {
      if (in_[at(j)] >= kFarAway) continue;
      double cut = -1e18;
      while (count > 0 && (cut = crossing(apex_[at(count - 1)], j)) <= from_[at(count - 1)]) --count;
      apex_[at(count)] = j;
      from_[at(count)] = count == 0 ? -1e18 : cut;
      ++count;
    }
    if (count == 0) return;  // far from everything, as before
    int k = 0;
    for (int i = 0; i < length; ++i) {
      while (k + 1 < count && from_[at(k + 1)] < i) ++k;
      const auto distance = static_cast<float>(i - apex_[at(k)]);
      line[at(i) * step] = distance * distance + in_[at(apex_[at(k)])];
    }
  }

 private:
  static std::size_t at(int i) { return static_cast<std::size_t>(i); }

  /// Where the parabola of b becomes lower than that of a < b.
  double crossing(int a, int b) const {
    const double fa = in_[at(a)] + static_cast<double>(a) * a, fb = in_[at(b)] + static_cast<double>(b) * b;
    return (fb - fa) / (2.0 * (b - a));
  }

  std::vector<float> in_;
  std::vector<int> apex_;
  std::vector<double> from_;
};

/// Distance of each pixel's centre to the nearest centre of a pixel that is (or is not) set.
std::vector<float> distance_to(const std::vector<std::uint8_t>& bitmap, bool set, int width, int height) {
  std::vector<float> field(bitmap.size());
  for (std::size_t i = 0; i < bitmap.size(); ++i) field[i] = (bitmap[i] != 0) == set ? 0.0f : kFarAway;
  LineTransform transform(std::max(width, height));
  for (int x = 0; x < width; ++x) transform.run(field.data() + x, static_cast<std::size_t>(width), height);
  for (int y = 0; y < height; ++y) transform.run(field.data() + std::ptrdiff_t{y} * width, 1, width);
  for (float& value : field) value = value < kFarAway ? std::sqrt(value) : kNoEdge + 0.5f;
  return field;
}

}  // namespace

std::vector<float> signed_distance(const std::vector<std::uint8_t>& bitmap, int width, int height) {
  std::vector<float> inside = distance_to(bitmap, false, width, height);
  const std::vector<float> outside = distance_to(bitmap, true, width, height);
  for (std::size_t i = 0; i < inside.size(); ++i) inside[i] = bitmap[i] != 0 ? inside[i] - 0.5f : 0.5f - outside[i];
  return inside;
}

}  // namespace maskrt::cli
