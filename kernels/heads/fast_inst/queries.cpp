#include "queries.h"

#include <cmath>
#include <map>

namespace maskrt::kernels {
namespace {

bool is_thing(const FastInstSettings& settings, int class_id) {
  return settings.things.empty() || settings.things.at(static_cast<std::size_t>(class_id));
}

}  // namespace

std::vector<double> class_probabilities(const FastInstLogits& logits, std::int64_t query) {
  const Tensor& classes = logits.classes;
  std::vector<double> p;
  for (std::int64_t c = 0; c < classes.channels; ++c)
    p.push_back(static_cast<double>(classes.as<float>()[classes.index(logits.image, query, 0, c)]));
  const double most = *std::max_element(p.begin(), p.end());
  double sum = 0;
  for (double& value : p) sum += value = std::exp(value - most);
  for (double& value : p) value /= sum;
  return p;
}

std::vector<QueryClass> most_probable_pairs(const FastInstLogits& logits, const FastInstSettings& settings) {
  std::vector<QueryClass> pairs;
  for (std::int64_t q = 0; q < logits.classes.height; ++q) {
    const std::vector<double> p = class_probabilities(logits, q);
    for (std::size_t c = 0; c + 1 < p.size(); ++c) pairs.push_back({q, static_cast<int>(c), p[c]});
  }
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const QueryClass& a, const QueryClass& b) { return a.probability > b.probability; });
  pairs.resize(std::min(pairs.size(), static_cast<std::size_t>(settings.detections)));
  if (settings.things_alone)
    std::erase_if(pairs, [&](const QueryClass& pair) { return !is_thing(settings, pair.class_id); });
  return pairs;
}

void sort_instances(std::vector<DetectedInstance>& instances) {
  std::stable_sort(instances.begin(), instances.end(), [](const DetectedInstance& a, const DetectedInstance& b) {
    return a.score != b.score ? a.score > b.score : a.query != b.query ? a.query < b.query : a.class_id < b.class_id;
  });
}

std::vector<SegmentCandidate> segment_candidates(const FastInstLogits& logits, const FastInstSettings& settings) {
  std::vector<SegmentCandidate> candidates;
  for (std::int64_t q = 0; q < logits.classes.height; ++q) {
    const std::vector<double> p = class_probabilities(logits, q);
    const auto best = std::max_element(p.begin(), p.end());
    if (best == p.end() - 1 || !(*best > static_cast<double>(settings.object_mask_threshold))) continue;
    SegmentCandidate one;
    one.probability = *best;
    one.segment.query = static_cast<int>(q);
    one.segment.class_id = static_cast<int>(best - p.begin());
    one.segment.probability = static_cast<float>(*best);
    one.segment.is_thing = is_thing(settings, one.segment.class_id);
    candidates.push_back(one);
  }
  return candidates;
}

std::vector<std::int32_t> name_segments(std::span<const SegmentCandidate> candidates, const FastInstSettings& settings,
                                        FastInstSegments& found) {
  std::map<int, std::int32_t> stuff;  // the id of each class of stuff
  std::vector<std::int32_t> ids;
  for (const SegmentCandidate& one : candidates) {
    std::int32_t& id = ids.emplace_back(0);
    if (one.area == 0) continue;
    if (static_cast<double>(one.won) / static_cast<double>(one.inside) <
        static_cast<double>(settings.overlap_threshold))
      continue;
    const auto next = static_cast<std::int32_t>(found.segments.size()) + 1;
    id = one.segment.is_thing ? next : stuff.emplace(one.segment.class_id, next).first->second;
    if (id == next) found.segments.push_back(one.segment);
  }
  return ids;
}

}  // namespace maskrt::kernels
