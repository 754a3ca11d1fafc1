// The plain loops that define instances: probabilities, rescoring, two bilinear steps over whole maps, the threshold.
#include <algorithm>
#include <cmath>

#include "kernels/resize/resize.h"
#include "postprocess.h"
#include "selection.h"

namespace maskrt::kernels {
namespace {

struct Map {
  int width = 0, height = 0;
  std::vector<float> values;
  float at(std::int64_t x, std::int64_t y) const { return values[static_cast<std::size_t>(y * width + x)]; }
};

/// The top left corner, out_width x out_height, of the map resized to full_width x full_height.
Map resized(const Map& in, int full_width, int full_height, int out_width, int out_height) {
  Map out{out_width, out_height, {}};
  const float step_x = static_cast<float>(in.width) / static_cast<float>(full_width);
  const float step_y = static_cast<float>(in.height) / static_cast<float>(full_height);
  for (int y = 0; y < out_height; ++y) {
    const BilinearTap v = bilinear_tap(y, in.height, step_y);
    for (int x = 0; x < out_width; ++x) {
      const BilinearTap h = bilinear_tap(x, in.width, step_x);
      const float top = in.at(h.low, v.low) * (1 - h.weight) + in.at(h.high, v.low) * h.weight;
      const float bottom = in.at(h.low, v.high) * (1 - h.weight) + in.at(h.high, v.high) * h.weight;
      out.values.push_back(top * (1 - v.weight) + bottom * v.weight);
    }
  }
  return out;
}

void set_mask(const Map& map, float threshold, DetectedInstance& instance) {
  MaskBits& mask = instance.mask;
  mask = {map.width, map.height, (map.height + 63) / 64, {}};
  mask.words.resize(static_cast<std::size_t>(map.width) * mask.words_per_column);
  int left = map.width, right = -1, top = map.height, bottom = -1;
  for (int x = 0; x < map.width; ++x) {
    for (int y = 0; y < map.height; ++y) {
      if (!(map.at(x, y) > threshold)) continue;
      mask.words[static_cast<std::size_t>(x) * mask.words_per_column + y / 64] |= std::uint64_t{1} << (y % 64);
      ++instance.area;
      left = std::min(left, x);
      right = std::max(right, x);
      top = std::min(top, y);
      bottom = std::max(bottom, y);
    }
  }
  if (instance.area == 0) return;
  instance.x = left;
  instance.y = top;
  instance.width = right - left + 1;
  instance.height = bottom - top + 1;
}

}  // namespace

std::vector<DetectedInstance> postprocess_ref(const Tensor& class_logits, const Tensor& objectness_logits,
                                              const Tensor& mask_logits, std::int64_t b, const Geometry& geometry,
                                              const PostprocessSettings& settings) {
  std::vector<DetectedInstance> instances;
  for (const Candidate& candidate : select_candidates(class_logits, objectness_logits, b, settings.score_threshold)) {
    Map map{static_cast<int>(mask_logits.width), static_cast<int>(mask_logits.height), {}};
    double sum = 0;
    std::int64_t count = 0;
    for (int y = 0; y < map.height; ++y) {
      for (int x = 0; x < map.width; ++x) {
        const float logit = mask_logits.as<float>()[mask_logits.index(b, y, x, candidate.query)];
        const float probability = 1.0f / (1.0f + std::exp(-logit));
        map.values.push_back(probability);
        if (probability > settings.mask_threshold) {
          sum += probability;
          ++count;
        }
      }
    }
    DetectedInstance instance;
    instance.query = candidate.query;
    instance.class_id = candidate.class_id;
    instance.score = rescored(candidate.score, sum, count);
    if (instance.score < settings.minimum_score) continue;
    if (settings.masks) {
      const Geometry& g = geometry;
      const Map input = resized(map, g.padded_width, g.padded_height, g.resized_width, g.resized_height);
      set_mask(resized(input, g.original_width, g.original_height, g.original_width, g.original_height),
               settings.mask_threshold, instance);
    }
    instances.push_back(std::move(instance));
  }
  return instances;
}

}  // namespace maskrt::kernels
