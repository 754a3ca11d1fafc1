// The plain loops that define what FastInst finds: whole maps at the image's own size, one query after another, in
// double precision.
#include <algorithm>
#include <cmath>
#include <map>

#include "fast_inst.h"
#include "queries.h"

namespace maskrt::kernels {
namespace {

struct Map {
  int width = 0, height = 0;
  std::vector<double> values;
  double at(std::int64_t x, std::int64_t y) const { return values[static_cast<std::size_t>(y * width + x)]; }
};

/// One output position of a bilinear resize, align_corners = false, source coordinate clamped at 0.
struct Tap {
  int low, high;
  double fraction;
};
Tap tap(int i, double step, int n) {
  const double source = std::max((i + 0.5) * step - 0.5, 0.0);
  const int low = std::min(static_cast<int>(source), n - 1);
  return {low, std::min(low + 1, n - 1), source - low};
}

/// The top left corner, out_width x out_height, of the map resized to full_width x full_height.
Map resized(const Map& in, int full_width, int full_height, int out_width, int out_height) {
  Map out{out_width, out_height, {}};
  const double step_x = static_cast<double>(in.width) / full_width,
               step_y = static_cast<double>(in.height) / full_height;
  for (int y = 0; y < out_height; ++y) {
    const Tap v = tap(y, step_y, in.height);
    for (int x = 0; x < out_width; ++x) {
      const Tap h = tap(x, step_x, in.width);
      const double top = in.at(h.low, v.low) * (1 - h.fraction) + in.at(h.high, v.low) * h.fraction;
      const double bottom = in.at(h.low, v.high) * (1 - h.fraction) + in.at(h.high, v.high) * h.fraction;
      out.values.push_back(top * (1 - v.fraction) + bottom * v.fraction);
    }
  }
  return out;
}

double sigmoid(double logit) { return 1 / (1 + std::exp(-logit)); }

/// A query's mask logits, or probabilities, at the size of the network's input, cropped to the image.
Map at_input_size(const Map& map, const Geometry& g) {
  return resized(map, g.padded_width, g.padded_height, g.resized_width, g.resized_height);
}
Map at_own_size(const Map& input, const Geometry& g) {
  return resized(input, g.original_width, g.original_height, g.original_width, g.original_height);
}

Map logits_of(const FastInstLogits& logits, std::int64_t query) {
  const Tensor& masks = logits.masks;
  Map map{static_cast<int>(masks.width), static_cast<int>(masks.height), {}};
  for (std::int64_t y = 0; y < masks.height; ++y)
    for (std::int64_t x = 0; x < masks.width; ++x)
      map.values.push_back(static_cast<double>(masks.as<float>()[masks.index(logits.image, y, x, query)]));
  return map;
}

Map mask_at_own_size(const FastInstLogits& logits, std::int64_t query, const Geometry& geometry) {
  return at_own_size(at_input_size(logits_of(logits, query), geometry), geometry);
}

/// A query's mask, which all of its classes share, and the mean of its probabilities inside.
struct QueryMask {
  DetectedInstance mask;
  double mean = 0;
};

QueryMask mask_of(const Map& logits) {
  QueryMask made;
  MaskBits& bits = made.mask.mask;
  bits = {logits.width, logits.height, (logits.height + 63) / 64, {}};
  bits.words.resize(static_cast<std::size_t>(logits.width) * static_cast<std::size_t>(bits.words_per_column));
  Extents extents;
  double sum = 0;
  for (int y = 0; y < logits.height; ++y)
    for (int x = 0; x < logits.width; ++x) {
      if (!(logits.at(x, y) > 0)) continue;  // a probability of more than a half
      bits.words[static_cast<std::size_t>(x) * static_cast<std::size_t>(bits.words_per_column) +
                 static_cast<std::size_t>(y / 64)] |= std::uint64_t{1} << (y % 64);
      extents.add(x, y);
      ++made.mask.area;
      sum += sigmoid(logits.at(x, y));
    }
  extents.give(made.mask);
  made.mean = sum / (static_cast<double>(made.mask.area) + 1e-6);
  return made;
}

}  // namespace

std::vector<double> fast_inst_mask_ref(const FastInstLogits& logits, std::int64_t query, const Geometry& geometry) {
  return mask_at_own_size(logits, query, geometry).values;
}

std::vector<DetectedInstance> fast_inst_instances_ref(const FastInstLogits& logits, const Geometry& geometry,
                                                      const FastInstSettings& settings) {
  std::map<std::int64_t, QueryMask> masks;
  std::vector<DetectedInstance> instances;
  for (const QueryClass& pair : most_probable_pairs(logits, settings)) {
    if (!masks.contains(pair.query)) masks.emplace(pair.query, mask_of(mask_at_own_size(logits, pair.query, geometry)));
    const QueryMask& mask = masks.at(pair.query);
    DetectedInstance instance;
    if (settings.masks) instance = mask.mask;
    instance.query = static_cast<int>(pair.query);
    instance.class_id = pair.class_id;
    instance.score = static_cast<float>(pair.probability * mask.mean);
    if (instance.score < settings.minimum_score) continue;
    instances.push_back(std::move(instance));
  }
  sort_instances(instances);
  return instances;
}

std::vector<float> fast_inst_class_scores_ref(const FastInstLogits& logits, const Geometry& geometry,
                                              const FastInstSettings& settings) {
  const auto classes = static_cast<std::size_t>(logits.classes.channels - 1);
  std::vector<Map> sums(classes);
  for (std::int64_t q = 0; q < logits.classes.height; ++q) {
    const std::vector<double> p = class_probabilities(logits, q);
    Map mask = at_input_size(logits_of(logits, q), geometry);
    if (settings.resize_before_semantic) mask = at_own_size(mask, geometry);
    for (double& value : mask.values) value = sigmoid(value);
    for (std::size_t c = 0; c < classes; ++c) {
      Map& sum = sums[c];
      if (q == 0) sum = {mask.width, mask.height, std::vector<double>(mask.values.size())};
      for (std::size_t i = 0; i < mask.values.size(); ++i) sum.values[i] += p[c] * mask.values[i];
    }
  }
  std::vector<float> scores;
  for (const Map& sum : sums) {
    const Map own = settings.resize_before_semantic ? sum : at_own_size(sum, geometry);
    scores.insert(scores.end(), own.values.begin(), own.values.end());
  }
  return scores;
}

std::vector<std::int32_t> fast_inst_classes_ref(const FastInstLogits& logits, const Geometry& geometry,
                                                const FastInstSettings& settings) {
  const std::vector<float> scores = fast_inst_class_scores_ref(logits, geometry, settings);
  const std::size_t plane =
      static_cast<std::size_t>(geometry.original_width) * static_cast<std::size_t>(geometry.original_height);
  std::vector<std::int32_t> best(plane);
  for (std::size_t c = 1; c < scores.size() / plane; ++c)
    for (std::size_t i = 0; i < plane; ++i)
      if (scores[c * plane + i] > scores[static_cast<std::size_t>(best[i]) * plane + i])
        best[i] = static_cast<std::int32_t>(c);
  return best;
}

FastInstSegments fast_inst_segments_ref(const FastInstLogits& logits, const Geometry& geometry,
                                        const FastInstSettings& settings) {
  const int width = geometry.original_width, height = geometry.original_height;
  const std::size_t plane = static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
  FastInstSegments found;
  found.ids.assign(plane, 0);

  std::vector<SegmentCandidate> candidates = segment_candidates(logits, settings);
  std::vector<double> most(plane);
  std::vector<int> winner(plane, -1);  // of the candidates: whose probability, of its class and its mask, is largest
  std::vector<bool> winner_inside(plane);
  for (std::size_t k = 0; k < candidates.size(); ++k) {
    SegmentCandidate& one = candidates[k];
    const Map mask = mask_at_own_size(logits, one.segment.query, geometry);
    for (std::size_t i = 0; i < plane; ++i) {
      const bool inside = mask.values[i] >= 0;  // a probability of a half or more
      one.inside += inside;
      const double here = one.probability * sigmoid(mask.values[i]);
      if (winner[i] >= 0 && !(here > most[i])) continue;
      most[i] = here, winner[i] = static_cast<int>(k), winner_inside[i] = inside;
    }
  }
  for (std::size_t i = 0; i < plane; ++i) {
    if (winner[i] < 0) continue;
    SegmentCandidate& one = candidates[static_cast<std::size_t>(winner[i])];
    ++one.won;
    one.area += winner_inside[i];
  }

  // Each query's segment: where it wins inside of its mask.
  const std::vector<std::int32_t> id_of = name_segments(candidates, settings, found);
  std::vector<Extents> extents(found.segments.size());
  for (std::size_t i = 0; i < plane; ++i) {
    if (winner[i] < 0 || !winner_inside[i]) continue;
    const std::int32_t id = id_of[static_cast<std::size_t>(winner[i])];
    found.ids[i] = id;
    if (id == 0) continue;
    ++found.segments[static_cast<std::size_t>(id - 1)].area;
    extents[static_cast<std::size_t>(id - 1)].add(static_cast<int>(i) % width, static_cast<int>(i) / width);
  }
  for (std::size_t s = 0; s < extents.size(); ++s) extents[s].give(found.segments[s]);
  return found;
}

}  // namespace maskrt::kernels
