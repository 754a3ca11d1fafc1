// What FastInst finds, a row of the picture at a time.
#include <omp.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "fast_inst.h"
#include "kernels/cpu/exponential.h"
#include "kernels/cpu/multiply.h"
#include "kernels/cpu/parallel_failure.h"
#include "kernels/cpu/pixel_rows.h"
#include "kernels/cpu/rows.h"
#include "kernels/cpu/vector.h"
#include "kernels/masks/map_rows.h"
#include "queries.h"

namespace maskrt::kernels {
namespace {

constexpr int kLanes = 16;
using Floats = Vector<kLanes>;

std::size_t whole_row(std::int64_t n) { return static_cast<std::size_t>((n + kLanes - 1) / kLanes * kLanes); }

/// Mask logits from the network's map to the image's own size.
MapRows to_own_size(const Tensor& masks, const Geometry& g) {
  const int width = static_cast<int>(masks.width), height = static_cast<int>(masks.height);
  return {width, height,
          compose_taps(width, g.padded_width, g.resized_width, g.original_width,
                       static_cast<std::size_t>(g.original_width)),
          compose_taps(height, g.padded_height, g.resized_height, g.original_height,
                       static_cast<std::size_t>(g.original_height))};
}

/// The same to the size of the network's input, cropped to the image; and from there to the image's own size.
MapRows to_input_size(const Tensor& masks, const Geometry& g) {
  Geometry input = g;
  input.original_width = g.resized_width, input.original_height = g.resized_height;
  return to_own_size(masks, input);
}
MapRows from_input_size(const Geometry& g) {
  const int width = g.resized_width, height = g.resized_height;
  return {width, height,
          compose_taps(width, width, width, g.original_width, static_cast<std::size_t>(g.original_width)),
          compose_taps(height, height, height, g.original_height, static_cast<std::size_t>(g.original_height))};
}

/// An image's mask logits, the map of one query after the other.
struct Planes {
  std::size_t row, plane;  ///< numbers
  std::vector<float> numbers;

  explicit Planes(const FastInstLogits& logits)
      : row(whole_row(logits.masks.width)), plane(row * static_cast<std::size_t>(logits.masks.height)) {
    const Tensor& masks = logits.masks;
    numbers.resize(plane * static_cast<std::size_t>(masks.channels));
    const std::size_t channels = whole_row(masks.channels);
    std::vector<float> pixels(channels * static_cast<std::size_t>(masks.width * omp_get_max_threads()));
#pragma omp parallel for schedule(static)
    for (std::int64_t y = 0; y < masks.height; ++y) {
      float* const own = pixels.data() + static_cast<std::size_t>(omp_get_thread_num() * masks.width) * channels;
      read_pixels(masks, {logits.image, y * masks.width, masks.width, 0, masks.channels}, own,
                  static_cast<std::int64_t>(channels));
      for (std::size_t q = 0; q < static_cast<std::size_t>(masks.channels); ++q) {
        float* const to = numbers.data() + q * plane + static_cast<std::size_t>(y) * row;
        for (std::size_t x = 0; x < static_cast<std::size_t>(masks.width); ++x) to[x] = own[x * channels + q];
      }
    }
  }
  const float* of(std::int64_t query) const { return numbers.data() + static_cast<std::size_t>(query) * plane; }
};

/// Calls f(i, memory of the thread's own) for i < count on OpenMP threads, at most one for each i. `make` makes such
/// memory.
template <typename Make, typename F>
void for_each_on_threads(std::int64_t count, const Make& make, const F& f) {
  using Memory = decltype(make());
  const std::int64_t most = omp_get_max_threads();
  std::vector<Memory> memory;
  for (std::int64_t t = 0; t < std::max<std::int64_t>(1, std::min(most, count)); ++t) memory.push_back(make());
  ParallelFailure failure;
#pragma omp parallel for schedule(dynamic) num_threads(static_cast <int>(memory.size()))
  for (std::int64_t i = 0; i < count; ++i)
    failure.guard([&] { f(i, memory[static_cast<std::size_t>(omp_get_thread_num())]); });
  failure.rethrow();
}

// ---- Instances ------------------------------------------------------------------------------------------------------

/// From the first to behind the last of n numbers that are greater than 0; empty where none is.
MASKRT_CLONES void find_positive(const float* numbers, int n, int* first, int* last) {
  int low = n, high = 0;
  for (int i = 0; i < n; ++i) {
    low = numbers[i] > 0 && i < low ? i : low;
    high = numbers[i] > 0 ? i + 1 : high;
  }
  *first = low, *last = high;
}

struct Inside {
  float sum = 0;
  std::int32_t count = 0;
};

/// The probabilities of logits greater than 0, and how many they are; sets `bit` of their columns.
MASKRT_CLONES void take_inside(const float* logits, int n, std::uint64_t bit, std::uint64_t* columns, Inside* inside) {
  for (int i = 0; i < n; ++i) columns[i] |= logits[i] > 0 ? bit : 0;
  Floats sums{};
  decltype(sums > sums) counts{};
  int i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const Floats logit = *reinterpret_cast<const Floats*>(logits + i);
    Floats p = logit;
    logistic_in_place(p);
    sums += logit > 0.0f ? p : Floats{};
    counts -= logit > 0.0f;  // true is -1
  }
  for (; i < n; ++i) {
    sums[0] += logits[i] > 0 ? logistic(logits[i]) : 0.0f;
    counts[0] += logits[i] > 0 ? 1 : 0;
  }
  for (int l = 0; l < kLanes; ++l) {
    inside->sum += sums[l];
    inside->count += counts[l];
  }
}

struct InstanceMemory {
  std::vector<float> blended, logits;
  std::vector<std::uint64_t> columns;  ///< 64 rows' bits of each column
};

/// A query's mask, and the mean of its probabilities inside.
struct QueryMask {
  DetectedInstance mask;
  double mean = 0;
};

QueryMask mask_of(const float* map, std::ptrdiff_t stride, const MapRows& rows, InstanceMemory& memory) {
  QueryMask made;
  MaskBits& bits = made.mask.mask;
  bits = {rows.width(), rows.height(), (rows.height() + 63) / 64, {}};
  const auto per_column = static_cast<std::size_t>(bits.words_per_column);
  bits.words.resize(static_cast<std::size_t>(bits.width) * per_column);
  Extents extents;
  double sum = 0;
  for (int word = 0; word < bits.words_per_column; ++word) {
    MapRows::Columns touched{rows.width(), 0};
    for (int y = word * 64; y < std::min(rows.height(), word * 64 + 64); ++y) {
      rows.blend(map, stride, y, memory.blended.data());
      MapRows::Columns positive;
      find_positive(memory.blended.data(), rows.in_width(), &positive.first, &positive.last);
      if (positive.first >= positive.last) continue;
      const MapRows::Columns reached = rows.reached_by(positive);
      rows.expand(memory.blended.data(), reached.first, reached.last, memory.logits.data());
      Inside inside;
      take_inside(memory.logits.data() + reached.first, reached.last - reached.first, std::uint64_t{1} << (y % 64),
                  memory.columns.data() + reached.first, &inside);
      if (inside.count == 0) continue;
      sum += static_cast<double>(inside.sum);
      made.mask.area += inside.count;
      extents.top = std::min(extents.top, y), extents.bottom = y;
      touched = {std::min(touched.first, reached.first), std::max(touched.last, reached.last)};
    }
    for (int x = touched.first; x < touched.last; ++x) {
      std::uint64_t& column = memory.columns[static_cast<std::size_t>(x)];
      if (column == 0) continue;
      bits.words[static_cast<std::size_t>(x) * per_column + static_cast<std::size_t>(word)] = std::exchange(column, 0);
      extents.left = std::min(extents.left, x), extents.right = std::max(extents.right, x);
    }
  }
  extents.give(made.mask);
  made.mean = sum / (static_cast<double>(made.mask.area) + 1e-6);
  return made;
}

// ---- Classes of pixels ----------------------------------------------------------------------------------------------

/// Numbers become their logistic function; n is whole vectors.
MASKRT_CLONES void to_probabilities(float* numbers, std::size_t n) {
  for (std::size_t i = 0; i < n; i += kLanes) {
    Floats x = *reinterpret_cast<const Floats*>(numbers + i);
    logistic_in_place(x);
    *reinterpret_cast<Floats*>(numbers + i) = x;
  }
}

/// Of the columns of `scores` [count][row]: which row has the largest number, the first of equal ones.
MASKRT_CLONES void find_best(const float* scores, std::int64_t count, std::int64_t row, float* most,
                             std::int32_t* best) {
  for (std::int64_t i = 0; i < row; ++i) most[i] = scores[i], best[i] = 0;
  for (std::int64_t c = 1; c < count; ++c)
    for (std::int64_t i = 0; i < row; ++i) {
      const bool larger = scores[c * row + i] > most[i];
      most[i] = larger ? scores[c * row + i] : most[i];
      best[i] = larger ? static_cast<std::int32_t>(c) : best[i];
    }
}

/// Rows of all queries' probabilities, at the image's own size.
class ProbabilityRows {
 public:
  struct Memory {
    std::vector<float> blended, input, input_blended;
  };

  ProbabilityRows(const FastInstLogits& logits, const Geometry& geometry, bool resize_before)
      : logits_(resize_before ? to_own_size(logits.masks, geometry) : to_input_size(logits.masks, geometry)),
        row_(whole_row(logits_.width())) {
    if (!resize_before) last_.emplace(from_input_size(geometry));
  }
  int width() const { return last_ ? last_->width() : logits_.width(); }
  int height() const { return last_ ? last_->height() : logits_.height(); }
  Memory make_memory() const {
    return {std::vector<float>(static_cast<std::size_t>(logits_.in_width())),
            std::vector<float>(last_ ? row_ * ComposedTaps::kMost : 0), std::vector<float>(last_ ? row_ : 0)};
  }
  /// out[x] for x < width(): row y of a query. `out` has room for whole vectors.
  void make(const float* map, std::ptrdiff_t stride, int y, Memory& memory, float* out) const {
    if (!last_) {
      logits_.blend(map, stride, y, memory.blended.data());
      logits_.expand(memory.blended.data(), 0, logits_.width(), out);
      to_probabilities(out, whole_row(logits_.width()));
      return;
    }
    // Probabilities at the size of the input: the rows that this one blends.
    const auto [first, count] = last_->rows_of(y);
    for (int i = 0; i < count; ++i) {
      float* const row = memory.input.data() + static_cast<std::size_t>(i) * row_;
      logits_.blend(map, stride, first + i, memory.blended.data());
      logits_.expand(memory.blended.data(), 0, logits_.width(), row);
      to_probabilities(row, row_);
    }
    last_->blend(memory.input.data(), static_cast<std::ptrdiff_t>(row_), y, memory.input_blended.data(), first);
    last_->expand(memory.input_blended.data(), 0, last_->width(), out);
  }

 private:
  MapRows logits_;
  std::optional<MapRows> last_;
  std::size_t row_;
};

// ---- Segments -------------------------------------------------------------------------------------------------------

/// One candidate's row of logits against those before: where it is the most probable, `most` and `winner` become its
/// own. A winner is twice the candidate's number, and one more inside of its mask. Gives the pixels inside.
MASKRT_CLONES std::int32_t compete(const float* logits, int n, float probability, std::int32_t candidate, float* most,
                                   std::int32_t* winner) {
  std::int32_t inside = 0;
  for (int i = 0; i < n; ++i) {
    const float here = probability * logistic(logits[i]);
    const std::int32_t is_inside = logits[i] >= 0 ? 1 : 0;
    const bool wins = candidate == 0 || here > most[i];
    inside += is_inside;
    most[i] = wins ? here : most[i];
    winner[i] = wins ? 2 * candidate + is_inside : winner[i];
  }
  return inside;
}

}  // namespace

std::vector<DetectedInstance> fast_inst_instances_cpu(const FastInstLogits& logits, const Geometry& geometry,
                                                      const FastInstSettings& settings) {
  std::vector<QueryClass> pairs = most_probable_pairs(logits, settings);
  // Means are below 1.
  std::erase_if(pairs,
                [&](const QueryClass& pair) { return pair.probability < static_cast<double>(settings.minimum_score); });
  std::map<std::int64_t, std::size_t> place;
  std::vector<std::int64_t> queries;
  for (const QueryClass& pair : pairs)
    if (place.emplace(pair.query, queries.size()).second) queries.push_back(pair.query);

  const Planes planes(logits);
  const MapRows rows = to_own_size(logits.masks, geometry);
  std::vector<QueryMask> masks(queries.size());
  for_each_on_threads(
      static_cast<std::int64_t>(queries.size()),
      [&] {
        return InstanceMemory{std::vector<float>(static_cast<std::size_t>(rows.in_width())),
                              std::vector<float>(static_cast<std::size_t>(rows.width())),
                              std::vector<std::uint64_t>(static_cast<std::size_t>(rows.width()))};
      },
      [&](std::int64_t i, InstanceMemory& memory) {
        const auto at = static_cast<std::size_t>(i);
        masks[at] = mask_of(planes.of(queries[at]), static_cast<std::ptrdiff_t>(planes.row), rows, memory);
      });

  std::vector<DetectedInstance> instances;
  for (const QueryClass& pair : pairs) {
    const QueryMask& mask = masks[place.at(pair.query)];
    const auto score = static_cast<float>(pair.probability * mask.mean);
    if (score < settings.minimum_score) continue;
    DetectedInstance& instance = settings.masks ? instances.emplace_back(mask.mask) : instances.emplace_back();
    instance.query = static_cast<int>(pair.query);
    instance.class_id = pair.class_id;
    instance.score = score;
  }
  sort_instances(instances);
  return instances;
}

std::vector<std::int32_t> fast_inst_classes_cpu(const FastInstLogits& logits, const Geometry& geometry,
                                                const FastInstSettings& settings) {
  const std::int64_t queries = logits.classes.height, classes = logits.classes.channels - 1;
  std::vector<float> shares(static_cast<std::size_t>(classes * queries));  // [classes, queries]
  for (std::int64_t q = 0; q < queries; ++q) {
    const std::vector<double> p = class_probabilities(logits, q);
    for (std::int64_t c = 0; c < classes; ++c)
      shares[static_cast<std::size_t>(c * queries + q)] = static_cast<float>(p[static_cast<std::size_t>(c)]);
  }
  const Planes planes(logits);
  const ProbabilityRows rows(logits, geometry, settings.resize_before_semantic);
  const int lanes = vector_lanes();
  const std::int64_t width = rows.width(), tile = std::int64_t{kMostVectors} * lanes;
  const std::size_t stride = whole_row(width);
  struct Memory {
    ProbabilityRows::Memory rows;
    std::vector<float> probabilities, scores, most;  ///< [queries, stride], [classes, tile], [tile]
    std::vector<std::int32_t> best;                  ///< [tile]
  };
  std::vector<std::int32_t> found(static_cast<std::size_t>(width * rows.height()));
  static constexpr float zeros[16] = {};
  for_each_on_threads(
      rows.height(),
      [&] {
        return Memory{rows.make_memory(), std::vector<float>(static_cast<std::size_t>(queries) * stride),
                      std::vector<float>(static_cast<std::size_t>(classes * tile)),
                      std::vector<float>(static_cast<std::size_t>(tile)),
                      std::vector<std::int32_t>(static_cast<std::size_t>(tile))};
      },
      [&](std::int64_t y, Memory& memory) {
        for (std::int64_t q = 0; q < queries; ++q)
          rows.make(planes.of(q), static_cast<std::ptrdiff_t>(planes.row), static_cast<int>(y), memory.rows,
                    memory.probabilities.data() + static_cast<std::size_t>(q) * stride);
        for (std::int64_t x = 0; x < width; x += tile) {
          const std::int64_t vectors = std::min<std::int64_t>(kMostVectors, (width - x + lanes - 1) / lanes),
                             row = vectors * lanes;
          multiply(lanes, {.left = {shares.data(), queries, 1},
                           .rows = classes,
                           .right = memory.probabilities.data() + x,
                           .right_step = static_cast<std::int64_t>(stride),
                           .vectors = static_cast<int>(vectors),
                           .depth = queries,
                           .start = {zeros, 0, 0},
                           .sums = {memory.scores.data(), row, lanes}});
          find_best(memory.scores.data(), classes, row, memory.most.data(), memory.best.data());
          std::copy_n(memory.best.data(), std::min(row, width - x), found.data() + y * width + x);
        }
      });
  return found;
}

FastInstSegments fast_inst_segments_cpu(const FastInstLogits& logits, const Geometry& geometry,
                                        const FastInstSettings& settings) {
  const int width = geometry.original_width, height = geometry.original_height;
  FastInstSegments found;
  found.ids.assign(static_cast<std::size_t>(width) * static_cast<std::size_t>(height), 0);
  std::vector<SegmentCandidate> candidates = segment_candidates(logits, settings);
  if (candidates.empty()) return found;
  const Planes planes(logits);
  const MapRows rows = to_own_size(logits.masks, geometry);

  // Each pixel's winner, in the place of its id, and what each row counts.
  struct Counts {
    std::int64_t inside = 0, won = 0, area = 0;
  };
  std::vector<Counts> counts(candidates.size() * static_cast<std::size_t>(height));
  struct Memory {
    std::vector<float> blended, logits, most;
  };
  for_each_on_threads(
      height,
      [&] {
        const auto n = static_cast<std::size_t>(width);
        return Memory{std::vector<float>(static_cast<std::size_t>(rows.in_width())), std::vector<float>(n),
                      std::vector<float>(n)};
      },
      [&](std::int64_t y, Memory& memory) {
        std::int32_t* const winner = found.ids.data() + y * width;
        Counts* const own = counts.data() + static_cast<std::size_t>(y) * candidates.size();
        for (std::size_t k = 0; k < candidates.size(); ++k) {
          rows.blend(planes.of(candidates[k].segment.query), static_cast<std::ptrdiff_t>(planes.row),
                     static_cast<int>(y), memory.blended.data());
          rows.expand(memory.blended.data(), 0, width, memory.logits.data());
          own[k].inside = compete(memory.logits.data(), width, static_cast<float>(candidates[k].probability),
                                  static_cast<std::int32_t>(k), memory.most.data(), winner);
        }
        for (int x = 0; x < width; ++x) {
          Counts& of = own[winner[x] / 2];
          ++of.won;
          of.area += winner[x] % 2;
        }
      });
  for (std::size_t i = 0; i < counts.size(); ++i) {
    SegmentCandidate& one = candidates[i % candidates.size()];
    one.inside += counts[i].inside, one.won += counts[i].won, one.area += counts[i].area;
  }

  const std::vector<std::int32_t> id_of = name_segments(candidates, settings, found);
  struct Part {
    std::int64_t area = 0;
    Extents extents;
  };
  std::vector<Part> parts(found.segments.size());
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      std::int32_t& id =
          found.ids[static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x)];
      id = id % 2 == 1 ? id_of[static_cast<std::size_t>(id / 2)] : 0;
      if (id == 0) continue;
      Part& part = parts[static_cast<std::size_t>(id - 1)];
      ++part.area;
      part.extents.add(x, y);
    }
  for (std::size_t s = 0; s < parts.size(); ++s) {
    found.segments[s].area = parts[s].area;
    parts[s].extents.give(found.segments[s]);
  }
  return found;
}

}  // namespace maskrt::kernels
