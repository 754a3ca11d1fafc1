// Mask logits as a network gives them, made by arithmetic alone, so that tests and benchmarks see the same everywhere.
#pragma once

#include <cstdint>
#include <vector>

namespace maskrt::testing {

/// Numbers in [0, 1) from a 64-bit congruential generator, the same on every machine.
class Uniform {
 public:
  explicit Uniform(std::uint64_t seed) : state_(seed * 2 + 1) {}
  float operator()() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<float>(state_ >> 40) * 0x1p-24f;
  }

 private:
  std::uint64_t state_;
};

/// `count` maps, planar [count, height, width]: each an ellipse of its own place and size, logits from about +6 inside
/// to -8 outside over a border of a few pixels, with noise.
inline std::vector<float> blob_logits(int width, int height, int count, std::uint64_t seed) {
  Uniform uniform(seed);
  std::vector<float> logits;
  logits.reserve(static_cast<std::size_t>(width) * height * count);
  for (int n = 0; n < count; ++n) {
    const float cx = uniform() * static_cast<float>(width), cy = uniform() * static_cast<float>(height);
    const float rx = (0.03f + 0.3f * uniform() * uniform()) * static_cast<float>(width) + 1;
    const float ry = (0.03f + 0.3f * uniform() * uniform()) * static_cast<float>(height) + 1;
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        const float dx = (static_cast<float>(x) - cx) / rx, dy = (static_cast<float>(y) - cy) / ry;
        const float steep = 10 * (1 - dx * dx - dy * dy);
        const float inside = steep > 6 ? 6 : steep < -8 ? -8 : steep;
        logits.push_back(inside + 2 * uniform() - 1);
      }
    }
  }
  return logits;
}

/// `count` maps of noise around the threshold: no two neighbours agree, so nothing can be skipped.
inline std::vector<float> noise_logits(int width, int height, int count, std::uint64_t seed) {
  Uniform uniform(seed);
  std::vector<float> logits(static_cast<std::size_t>(width) * height * count);
  for (float& logit : logits) logit = 8 * uniform() - 4;
  return logits;
}

}  // namespace maskrt::testing
