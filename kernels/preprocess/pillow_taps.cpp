// Pillow's fixed-point coefficients for one axis of a resize.
#include "pillow_taps.h"

#include <algorithm>
#include <cmath>

namespace maskrt::kernels {

PillowTaps pillow_taps(int in, int out) {
  const double scale = static_cast<double>(in) / out;
  const double support = std::max(scale, 1.0);
  const double inverse = 1.0 / support;
  PillowTaps taps;
  taps.most = static_cast<int>(std::ceil(support)) * 2 + 1;
  taps.weights.resize(static_cast<std::size_t>(out) * static_cast<std::size_t>(taps.most));
  std::vector<double> triangle;
  for (int i = 0; i < out; ++i) {
    const double centre = (i + 0.5) * scale;
    const int first = std::max(0, static_cast<int>(centre - support + 0.5));
    const int end = std::min(in, static_cast<int>(centre + support + 0.5));
    triangle.clear();
    double sum = 0;
    for (int x = first; x < end; ++x) {
      const double distance = std::abs((x - centre + 0.5) * inverse);
      triangle.push_back(distance < 1.0 ? 1.0 - distance : 0.0);
      sum += triangle.back();
    }
    for (std::size_t k = 0; k < triangle.size(); ++k) {
      const double weight = sum != 0 ? triangle[k] / sum : triangle[k];
      taps.weights[static_cast<std::size_t>(i) * static_cast<std::size_t>(taps.most) + k] =
          static_cast<std::int32_t>(0.5 + weight * (1 << PillowTaps::kBits));
    }
    taps.first.push_back(first);
    taps.count.push_back(end - first);
  }
  return taps;
}

}  // namespace maskrt::kernels
